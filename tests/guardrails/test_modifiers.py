"""Nouns that only say of what kind another is."""

from __future__ import annotations

import pytest

from skerry.guardrails.modifiers import object_of, only_modifies


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("Do you repair wheelchairs?", "Repair stand 8 is kept for wheelchair users.", True),
        ("Do you repair wheelchairs?", "We repair wheelchairs, and wheelchair ramps.", False),
        ("Do you repair punctures?", "Small puncture repairs need no appointment.", False),
        ("do you sell bikes", "We sell bike boxes.", True),
        ("Do you sell bikes?", "A bike costs 60 euros.", False),
        ("Can you fix phones?", "We fix every phone.", False),
    ],
)
def test_a_noun_before_another_is_not_the_thing(question: str, text: str, expected: bool) -> None:
    assert only_modifies(object_of(question), question, text) is expected


@pytest.mark.parametrize("question", ["Is there parking?", "Where are the boats?", ""])
def test_other_questions_ask_of_no_such_object(question: str) -> None:
    assert object_of(question) == ""
    assert not only_modifies("", question, "Boat trips.")
