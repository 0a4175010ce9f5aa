"""The shipped checker: what it must tell apart, and that no text breaks it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.guardrails.answer import Evidence
from skerry.guardrails.grounding import GroundingChecker, Label, overall
from skerry.guardrails.grounding.model import DEFAULT_FOLDER, CrossEncoder, Outcome

QUESTION = "Which painkiller is preferred for a patient on warfarin?"
WARFARIN = (
    Evidence(1, "Ibuprofen raises the bleeding risk in patients on warfarin."),
    Evidence(2, "Paracetamol is preferred for patients on warfarin."),
)
TOGETHER = (Evidence(1, " ".join(one.text for one in WARFARIN)),)
TROLLEY = Evidence(
    1,
    "The emergency trolley is checked every day before 09:00, and again after each use. The duty "
    "nurse does the check and signs the trolley log. The oxygen cylinder is changed when it is "
    "below 100 bar.",
    context="Emergency trolley checks\nHow often",
)


@cache
def checker() -> GroundingChecker:
    return GroundingChecker.load()


@dataclass(frozen=True)
class Case:
    claim: str
    supported: bool
    question: str = ""


RELIEF = [
    Case("Ibuprofen is preferred for patients on warfarin.", supported=False),
    Case("Paracetamol is preferred for patients on warfarin.", supported=True),
    Case("Paracetamol raises the bleeding risk in patients on warfarin.", supported=False),
    Case("Ibuprofen raises the bleeding risk in patients on warfarin.", supported=True),
    Case("Paracetamol is not preferred for patients on warfarin.", supported=False),
    Case("Naproxen is preferred for patients on warfarin.", supported=False),
]


@pytest.mark.parametrize("sources", [WARFARIN, TOGETHER], ids=["two sources", "one source"])
@pytest.mark.parametrize("case", RELIEF, ids=lambda case: case.claim)
def test_the_warfarin_case(case: Case, sources: tuple[Evidence, ...]) -> None:
    found = overall(checker().check_all(case.claim, sources, QUESTION))
    assert (found is Label.SUPPORTED) == case.supported


def test_the_wrong_painkiller_is_contradicted() -> None:
    found = checker().check_all("Ibuprofen is preferred for patients on warfarin.", WARFARIN)
    assert overall(found) is Label.CONTRADICTED


CHECKS = [
    Case("The emergency trolley is checked every day before 09:00.", supported=True),
    Case("The duty nurse signs the trolley log.", supported=True),
    Case("The emergency trolley is checked every day before 10:00.", supported=False),
    Case("The emergency trolley is checked once a week.", supported=False),
    Case("The emergency trolley is never checked.", supported=False),
    Case("The oxygen cylinder is changed when it is below 200 bar.", supported=False),
    Case("The pharmacist pays for parking.", supported=False),
]


@pytest.mark.parametrize("case", CHECKS, ids=lambda case: case.claim)
def test_what_the_trolleys_page_says(case: Case) -> None:
    assert (checker().check(case.claim, TROLLEY).label is Label.SUPPORTED) == case.supported


def test_the_window_is_where_it_stands() -> None:
    filler = "The corridor is painted blue and has windows on its long side. " * 60
    source = f"{filler}{TROLLEY.text} {filler}"
    found = checker().check("The emergency trolley is checked every day before 09:00.", source)
    assert "checked every day before 09:00" in source[found.window[0] : found.window[1]]
    assert 0 <= found.score <= found.likely <= 1


@pytest.mark.parametrize("claim", ["", " ", "...", "[1]"])
def test_what_says_nothing_is_not_found(claim: str) -> None:
    assert checker().check(claim.replace("[1]", ""), TROLLEY).label is Label.NOT_FOUND


class Unread(CrossEncoder):
    """Must not be asked."""

    def outcome(self, claim: str, evidence: str) -> Outcome:
        raise AssertionError(f"read: {claim}")


def unread() -> GroundingChecker:
    return GroundingChecker(Unread("none", 0.5, None, None))  # type: ignore[arg-type]


def test_a_sentence_of_the_source_needs_no_model() -> None:
    claim = "The duty nurse does the check and signs the trolley log."
    found = unread().check(claim, TROLLEY)
    assert (found.label, found.score) == (Label.SUPPORTED, 1.0)
    assert TROLLEY.text[found.window[0] : found.window[1]] == claim


def test_a_row_of_a_table_that_is_spoken_needs_no_model() -> None:
    table = Evidence(1, "| Who | Extension |\n|---|---|\n| Pharmacist | 231 |")
    assert unread().labels("Who: Pharmacist; Extension: 231.", [table]) == [Label.SUPPORTED]


def test_a_label_that_the_exact_checks_decide_needs_no_model() -> None:
    claim = "The emergency trolley is checked every day before 10:00, and again after each use."
    assert unread().labels(claim, [TROLLEY]) == [Label.CONTRADICTED]
    assert checker().check(claim, TROLLEY).label is Label.CONTRADICTED


def test_without_evidence_nothing_is_supported() -> None:
    assert checker().check("The trolley is checked.", "").label is Label.NOT_FOUND
    assert overall(checker().check_all("The trolley is checked.", ())) is Label.NOT_FOUND


def test_a_claim_that_is_not_read_to_its_end_is_not_found() -> None:
    claim = f"The duty nurse signs the trolley log {'and signs the trolley log ' * 40}."
    assert checker().check(claim, TROLLEY).label is Label.NOT_FOUND


def test_a_hundred_thousand_characters_are_read_in_part() -> None:
    found = checker().check("The trolley is checked. " * 4_000, "The trolley is red. " * 5_000)
    assert found.label is Label.NOT_FOUND


def test_a_long_question_leaves_room_for_the_claim() -> None:
    found = checker().check("Before 10:00.", TROLLEY, "When, I wonder, is it checked? " * 50)
    assert found.label is not Label.SUPPORTED


@settings(max_examples=25)
@given(st.text(max_size=200), st.text(max_size=400), st.text(max_size=40))
def test_any_text_gives_a_label(claim: str, evidence: str, question: str) -> None:
    found = checker().check(claim, evidence, question)
    assert found.label in Label
    assert 0 <= found.window[0] <= found.window[1] <= len(evidence)
    assert all(0 <= start <= end <= len(claim) for start, end in found.not_held)


def test_threads_can_share_it() -> None:
    claims = [f"The trolley is checked at 0{i}:00." for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda claim: checker().check(claim, TROLLEY), claims))
    assert together == [checker().check(claim, TROLLEY) for claim in claims]


def test_the_files_are_within_their_size() -> None:
    assert sum(path.stat().st_size for path in DEFAULT_FOLDER.iterdir()) <= 20.5e6
