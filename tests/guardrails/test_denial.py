"""What a text denies, clause by clause; and what is a bound, and no denial."""

from __future__ import annotations

import pytest

from skerry.guardrails import Evidence
from skerry.guardrails.denial import denies_it
from skerry.guardrails.judging import Judge
from skerry.guardrails.words import denies

GUESTS = "Guests may speak, but never vote."


@pytest.mark.parametrize(
    ("text", "claim", "denied"),
    [
        (GUESTS, "Guests may speak.", False),
        (GUESTS, "Guests may vote.", True),
        (GUESTS, "Guests may never vote.", True),
        ("The tenant may keep one cat, but no dogs.", "The tenant may keep dogs.", True),
        ("Ibuprofen is given after food.", "Ibuprofen is given.", False),
    ],
)
def test_a_text_denies_what_its_own_clause_denies(text: str, claim: str, *, denied: bool) -> None:
    assert denies_it(text, claim) is denied


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("No more than 4 g are taken.", False),
        ("Do not infuse more than 10 ml.", False),
        ("It is not only for adults.", False),
        ("Do not take more than prescribed.", True),
        ("No dogs.", True),
        ("It must never exceed its limit.", True),
    ],
)
def test_a_bound_is_no_denial(text: str, *, denied: bool) -> None:
    assert denies(text) is denied


@pytest.mark.parametrize(
    ("claim", "passes"), [("Guests may speak.", True), ("Guests may vote.", False)]
)
def test_the_gate_reads_the_clause(claim: str, *, passes: bool) -> None:
    assert bool(Judge("", [Evidence(1, GUESTS)])(claim).text) is passes


def test_a_no_in_another_cell_denies_nothing() -> None:
    rooms = Evidence(1, "| Room | Projector | Rate |\n|---|---|---|\n| Birch | no | 55 |")
    assert Judge("", [rooms])("The rate of Birch is 55.").text
    assert not Judge("", [rooms])("Birch has a projector.").text
