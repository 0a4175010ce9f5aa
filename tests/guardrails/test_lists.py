"""Lists in a source: their items, what introduces them, and where they go on."""

from __future__ import annotations

import pytest

from skerry.guardrails.answer import Evidence
from skerry.guardrails.lists import listings
from skerry.guardrails.wanted import Kind, wanted

LAMP = """Changing a lamp

The lamp lasts a year. To change it:

1. Pull the plug.
2. Wait for ten minutes. The lamp is hot.
   It may burn you.
3. Open the lid:
   - with the key
   - or a coin

Then call the office.

Bring:
- shoes
- a pen"""


def test_a_list_has_its_introduction_and_every_line() -> None:
    steps, bring = listings([Evidence(4, LAMP)])
    assert steps.intro == "To change it:"
    assert (steps.first, steps.last, steps.is_numbered) == (1, 3, True)
    assert steps.lines[1] == ("2. Wait for ten minutes. The lamp is hot.", 4)
    assert len(steps.lines) == 6
    assert (bring.intro, bring.is_numbered, bring.items) == ("Bring:", False, 2)
    assert steps.has("To change it:")
    assert steps.has("The lamp is hot.")
    assert not steps.has("Then call the office.")


def test_one_item_is_no_list() -> None:
    assert not list(listings([Evidence(1, "Note:\n- only this")]))


def test_steps_go_on_in_the_next_source_of_the_document() -> None:
    second = Evidence(1, "3. Close it.\n4. Plug it in.", context="Lamp", document="a.md")
    first = Evidence(2, "1. Open it.\n2. Change it.", context="Lamp", document="a.md")
    other = Evidence(3, "5. Boil it.\n6. Eat it.", context="Eggs", document="b.md")
    whole, eggs = listings([second, first, other])
    assert [(line[:2], mark) for line, mark in whole.lines] == [
        ("1.", 2), ("2.", 2), ("3.", 1), ("4.", 1),
    ]  # fmt: skip
    assert eggs.first == 5


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How do I change a lamp?", Kind.STEPS),
        ("What are the steps for closing the house?", Kind.STEPS),
        ("What should I do when the alarm rings?", Kind.STEPS),
        ("How is the pump cleaned?", Kind.STEPS),
        ("What do I need to bring?", Kind.LIST),
        ("Show me all the sizes", Kind.LIST),
        ("Which rooms have a projector?", Kind.LIST),
        ("How many rooms are there?", Kind.COUNT),
        ("Which room is the cheapest?", Kind.EXTREME),
        ("Is the Heron cheaper than the Wren?", Kind.COMPARISON),
        ("How often is the trolley checked?", None),
        ("What does a kayak cost?", None),
        ("Where is the fridge?", None),
    ],
)
def test_what_a_question_wants(question: str, kind: Kind | None) -> None:
    found = wanted(question)
    assert (found.kind if found else None) is kind
