"""The exact checks speak against what is wrong, and leave alone what is only said differently."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.exact import ExactKind, Passage, exact_findings

RELIEF = Passage(
    "Paracetamol is the preferred pain relief for patients on warfarin. The usual adult dose is "
    "1 g up to four times a day, with at least 4 hours between doses. The most in 24 hours is 4 g, "
    "and 2 g for adults who weigh less than 50 kg or have liver disease.",
    "Pain relief for patients on anticoagulants\nFirst choice",
)
FRIDGE = Passage(
    "The vaccine fridge is kept between 2 °C and 8 °C. The duty nurse reads the display twice a "
    "day, at 08:30 and at 17:30, since 2 September 2024. It is not defrosted by staff. Call "
    "Ms Okafor on extension 231, Monday to Friday, with form HC-7.",
    "Vaccine fridge",
)


@dataclass(frozen=True)
class Case:
    claim: str
    passage: Passage
    kinds: tuple[ExactKind, ...] = ()


HOLDS = [
    Case("The usual adult dose is 1000 mg.", RELIEF),
    Case("The usual adult dose is one gram, up to 4 times daily.", RELIEF),
    Case("At most 4 g are taken a day.", RELIEF),
    Case("Acetaminophen is preferred for patients on warfarin.", RELIEF),
    Case("Keep four hours between doses.", RELIEF),
    Case("First choice is paracetamol.", RELIEF),
    Case("The fridge is kept at 2 to 8 degrees.", FRIDGE),
    Case("The nurse reads the display at 8.30 am and 5:30 pm.", FRIDGE),
    Case("The display has been read since 02/09/2024.", FRIDGE),
    Case("Ms Okafor is on extension 231 on Wednesday.", FRIDGE),
    Case("Staff do not defrost it.", FRIDGE),
    Case("Fill in form HC-7.", FRIDGE),
    Case("", FRIDGE),
]
FAILS = [
    Case("The usual adult dose is 2 mg.", RELIEF, (ExactKind.UNIT,)),
    Case("The usual adult dose is 3 g.", RELIEF, (ExactKind.NUMBER,)),
    Case("At least 6 hours lie between doses.", RELIEF, (ExactKind.NUMBER,)),
    Case("Naproxen is preferred for patients on warfarin.", RELIEF, (ExactKind.DRUG,)),
    Case("Paracetamol is not the preferred pain relief.", RELIEF, (ExactKind.NEGATION,)),
    Case("The fridge is kept at 2 to 9 degrees.", FRIDGE, (ExactKind.NUMBER,)),
    Case("The nurse reads the display at 08:30 and 18:30.", FRIDGE, (ExactKind.TIME,)),
    Case("The display has been read since 3 September 2024.", FRIDGE, (ExactKind.DATE,)),
    Case("Ms Keller is on extension 231.", FRIDGE, (ExactKind.NAME,)),
    Case("Call on Sunday.", FRIDGE, (ExactKind.DATE,)),
    Case("The duty nurse reads the display twice a week.", FRIDGE, (ExactKind.FREQUENCY,)),
    Case("It is defrosted by staff.", FRIDGE, (ExactKind.NEGATION,)),
    Case("Fill in form HC-9.", FRIDGE, (ExactKind.NAME,)),
    Case("Call extension ２３２.", FRIDGE, (ExactKind.NUMBER,)),
]


@pytest.mark.parametrize("case", [*HOLDS, *FAILS], ids=lambda case: case.claim)
def test_exact_findings(case: Case) -> None:
    found = exact_findings(case.claim, case.passage)
    assert tuple(dict.fromkeys(one.kind for one in found)) == case.kinds


def test_a_finding_says_where_and_whether_there_is_a_rival() -> None:
    claim = "Naproxen: 3 g."
    drug, number = exact_findings(claim, RELIEF)
    assert claim[drug.start : drug.end] == "Naproxen"
    assert (claim[number.start : number.end], number.contradicts) == ("3 g", True)
    assert not drug.contradicts


RISK = "Ibuprofen raises the bleeding risk in patients on warfarin."
CHOICE = "Paracetamol is preferred for patients on warfarin."


@pytest.mark.parametrize(
    ("claim", "said_of_another"),
    [
        ("Ibuprofen is preferred for patients on warfarin.", True),
        ("Paracetamol raises the bleeding risk in patients on warfarin.", True),
        ("Ibuprofen raises the bleeding risk in patients on warfarin.", False),
        ("Paracetamol is preferred for patients on warfarin.", False),
        ("Ibuprofen raises the risk, and paracetamol is preferred.", False),
        ("Ibuprofen increases the bleeding risk.", False),
    ],
)
def test_what_is_said_of_another_drug(claim: str, said_of_another: bool) -> None:
    together = exact_findings(claim, Passage(f"{RISK} {CHOICE}"))
    assert [one.kind for one in together] == [ExactKind.DRUG] * said_of_another
    assert all(one.contradicts for one in together)
    apart = (
        exact_findings(claim, Passage(RISK), [CHOICE]),
        exact_findings(claim, Passage(CHOICE), [RISK]),
    )
    assert all(apart) == (said_of_another or "and paracetamol" in claim)


def test_a_sentence_without_a_drug_may_go_on_about_the_one_before() -> None:
    passage = Passage("Codeine helps. It is taken at night. Morphine is taken at night.")
    assert not exact_findings("Codeine is taken at night.", passage)


def test_implicit_denials_are_left_to_the_classifier() -> None:
    passage = Passage("Codeine is withheld from children.")
    assert not exact_findings("Children do not get codeine.", passage)


@given(st.text(max_size=200), st.text(max_size=300))
def test_any_text_is_checked(claim: str, text: str) -> None:
    for one in exact_findings(claim, Passage(text)):
        assert 0 <= one.start <= one.end <= len(claim)


@given(st.text(alphabet="Paracetmol 0123456789mg.,:-/°C%\n '’March", max_size=200))
def test_a_text_never_speaks_against_itself(text: str) -> None:
    hard = {ExactKind.DRUG, ExactKind.NAME, ExactKind.FREQUENCY}
    assert not [one for one in exact_findings(text, Passage(text)) if one.kind in hard]


HOSTILE = {
    "digits": "9" * 20_000,
    "points": "1." * 10_000,
    "commas": "1,234" * 5_000,
    "number words": "twenty " * 5_000,
    "hundreds": "one hundred and " * 3_000,
    "colons": "1:" * 10_000,
    "capitals": "A" * 20_000,
    "names": "Ab-" * 8_000,
    "apostrophes": "o'" * 10_000,
    "dates": "1 March " * 3_000,
    "endings": "ol" * 10_000,
    "spaces": " " * 20_000,
    "near copies": "The dose of it is 5 mg. The dose of it is 6 mg. " * 400,
    "one-word sentences": "ab 5. " * 3_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_bounded(text: str) -> None:
    started = time.process_time()
    exact_findings(text[:2_000], Passage(text))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "claim",
    [
        "Left and right oblique views are taken of each knee.",
        "Pain may be in the upper and lower back.",
        "The head may open a locker in the presence of two managers.",
    ],
)
def test_what_is_named_together_is_not_another(claim: str) -> None:
    passage = Passage(
        "Views are taken of each knee: right and left oblique. Pain of the lower and upper back "
        "may occur. A locker may be opened by the head, in the presence of the owner or of two "
        "managers."
    )
    assert not [one for one in exact_findings(claim, passage) if one.contradicts]


def test_a_passage_of_one_amount_over_and_over() -> None:
    """No clock is read: in time of the square of the amounts this would take minutes."""
    passage = Passage("41% " * 1_500)
    assert exact_findings("41% " * 500, passage) == ()


PUMP = Passage("If the red lamp flashes twice, replace the filter. Wipe it once.")
FERRY = Passage(
    "The ferry to Holm Island leaves at 07:15, 12:40 and 18:05 every day from May to September. "
    "In winter there is one sailing, at 10:00 on Wednesdays."
)


@pytest.mark.parametrize(
    ("claim", "passage", "kind"),
    [
        ("If the red lamp flashes once, replace the filter.", PUMP, ExactKind.NUMBER),
        ("If the red lamp flashes twice, call Ms Okafor.", PUMP, ExactKind.ROLE),
        ("In winter the ferry sails at 12:40 on Wednesdays.", FERRY, ExactKind.TIME),
    ],
)
def test_what_a_stranger_made_of_a_passage(claim: str, passage: Passage, kind: ExactKind) -> None:
    assert kind in {one.kind for one in exact_findings(claim, passage)}


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("If the red lamp flashes twice, replace the filter at once.", PUMP),
        ("Wipe it once.", PUMP),
        ("Once the red lamp flashes twice, replace the filter.", PUMP),
        ("The ferry to Holm Island leaves at 12:40 from May to September.", FERRY),
        ("Members can borrow as many as eight books.", Passage("Members borrow up to 8 books.")),
        ("Members can borrow up to eight books.", Passage("Members borrow as many as 8 books.")),
    ],
)
def test_what_is_fair_of_it(claim: str, passage: Passage) -> None:
    assert exact_findings(claim, passage) == ()
