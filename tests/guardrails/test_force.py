"""Who does it, and whether they must: what words of content do not tell."""

from __future__ import annotations

import pytest

from skerry.guardrails import Evidence
from skerry.guardrails.force import same_force, same_persons
from skerry.guardrails.judging import Judge


@pytest.mark.parametrize(
    ("source", "claim", "same"),
    [
        (
            "The trailers must be left at the gate.",
            "The trailers are usually left at the gate.",
            False,
        ),
        ("The trailers must be left at the gate.", "The trailers are left at the gate.", True),
        ("Guests may use the shelter.", "Guests must use the shelter.", False),
        ("Guests may use the shelter.", "Guests can use the shelter.", True),
        ("You must ask, and may then leave.", "You may leave.", True),
        ("The gate is shut.", "The gate must be shut.", True),
    ],
)
def test_what_is_obliged_is_not_only_usual(source: str, claim: str, *, same: bool) -> None:
    assert same_force(source, claim) is same


@pytest.mark.parametrize(
    ("source", "claim", "same"),
    [
        ("If we cancel, you choose a new date.", "If you cancel, you choose a new date.", False),
        ("If we cancel, you choose a new date.", "If we cancel, you choose a new date.", True),
        ("We will call you.", "You call us.", False),
        ("They pay on Monday.", "The guests pay on Monday.", True),
        ("", "You cancel.", True),
    ],
)
def test_who_does_it_is_the_same(source: str, claim: str, *, same: bool) -> None:
    assert same_persons(source, claim) is same


def test_a_draft_that_has_somebody_else_do_it_is_dropped() -> None:
    text = "If we cancel because of the weather, you choose between a new date and your money."
    judge = Judge("What happens if I cancel because of the weather?", [Evidence(1, text)])
    assert not judge(text.replace("we cancel", "you cancel")).text
    assert judge(text).text
