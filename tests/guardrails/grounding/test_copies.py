"""A near copy with one thing exchanged speaks against itself; what is said otherwise does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.guardrails.grounding.exact import ExactKind, Passage, exact_findings
from skerry.guardrails.grounding.exact.copies import copied

WOUND = Passage(
    "Wash the wound with soap under running water for 5 minutes. Rinse an eye with water or saline "
    "for 10 minutes. Most patients are seen before noon. The memory of the thermometer is reset "
    "after each reading. The vaccine fridge is kept between 2 °C and 8 °C."
)
TRIAL = Passage(
    "The mean age was 36 years, and 29% of the 3736 patients were women. Rett syndrome was told "
    "from FOXG1 syndrome by physicians. Doses were given in 1971, 1972 and 1980. Aspirin was "
    "compared with heparin in adults."
)
ROOMS = Passage(
    "Oxygen cylinders are not carried on the stairs. Deliveries of more than 10 kg are left in the "
    "store beside the rear entrance. Linen is carried up in bags of at most 5 kg."
)
HORMONE = Passage("Insulin is a hormone. The hormone is made in the pancreas by beta cells.")


@dataclass(frozen=True)
class Case:
    claim: str
    passage: Passage
    kinds: tuple[ExactKind, ...] = ()


FAILS = [
    Case("Wash the wound under running water for 10 minutes.", WOUND, (ExactKind.NUMBER,)),
    Case("Rinse an eye with water or saline for 5 minutes.", WOUND, (ExactKind.NUMBER,)),
    Case("All patients are seen before noon.", WOUND, (ExactKind.NUMBER,)),
    Case("Most patients are seen after noon.", WOUND,
         (ExactKind.ROLE, ExactKind.BOUND, ExactKind.NEGATION)),
    Case("The vaccine fridge is reset after each reading.", WOUND, (ExactKind.NAME,)),
    Case("The vaccine fridge is kept between 8 °C and 8 °C.", WOUND,
         (ExactKind.BOUND, ExactKind.NUMBER)),
    Case("The mean age was 29 years.", TRIAL, (ExactKind.UNIT, ExactKind.NAME)),
    Case("The mean age was 36 years, and 36% of the 3736 patients were women.", TRIAL,
         (ExactKind.UNIT, ExactKind.NUMBER, ExactKind.NAME)),
    Case("FOXG1 syndrome was told from Rett syndrome by physicians.", TRIAL, (ExactKind.NAME,)),
    Case("Doses were given in 1972, 1972 and 1980.", TRIAL, (ExactKind.NUMBER,)),
    Case("Deliveries of more than 5 kg are left in the store.", ROOMS,
         (ExactKind.BOUND, ExactKind.NUMBER)),
    Case("Oxygen cylinders are left in the store beside the rear entrance.", ROOMS,
         (ExactKind.NAME,)),
]  # fmt: skip
HOLDS = [
    Case("Rinse an eye with saline for ten minutes.", WOUND),
    Case("The mean age was 36 years.", TRIAL),
    Case("Of 3736 patients, 29% were women.", TRIAL),
    Case("Doses were given in 1980, 1971 and 1972.", TRIAL),
    Case("In adults, aspirin was compared with heparin.", TRIAL),
    Case("Bags of linen weigh at most 5 kg.", ROOMS),
    Case("Insulin is made in the pancreas by beta cells.", HORMONE),
]


@pytest.mark.parametrize("case", [*FAILS, *HOLDS], ids=lambda case: case.claim)
def test_copies(case: Case) -> None:
    found = exact_findings(case.claim, case.passage)
    assert {one.kind for one in found} == set(case.kinds)
    assert all(one.contradicts for one in found)


def test_where_it_stands() -> None:
    claim = "Wash the wound with soap under running water for 10 minutes."
    (found,) = exact_findings(claim, WOUND)
    assert claim[found.start : found.end] == "10 minutes"


TWO = Passage(
    "Anna Keller was the teacher of Helen Marsh. Helen Marsh was taught singing by Leila Amari. "
    "Give 5 mg of ramipril to adults. Give 10 mg of heparin to adults. "
    "The pharmacist is reached on 231. Call the duty doctor on extension 220."
)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        ("The dose of ramipril for adults is 5 mg.", True),
        ("The dose of ramipril for adults is 10 mg.", False),
        ("Adults get 10 mg of heparin.", True),
        ("The doctor on duty has extension 220.", True),
        ("The doctor on duty has extension 231.", False),
        ("Give 5 mg of ramipril and 10 mg of heparin to adults.", True),
    ],
)
def test_a_value_of_something_else(claim: str, holds: bool) -> None:
    assert bool(exact_findings(claim, TWO)) != holds


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("She had two sons.", "She had 2 sons, and then two more."),
        ("He stopped in 1985.", "I quit that habit in nineteen eighty five, I think."),
        ("He stopped in 1990.", "I quit that habit in nineteen ninety."),
        ("Father and brother had it in their 40s.", "My father had it in his forties."),
        ("The net profit was $8.2m.", "We reported a net profit of $8.2 million."),
        ("It cost $65K.", "It cost around $65,000 in 2000."),
        ("A 57-year-old woman came.", "A woman who is fifty seven years old came to us."),
        (
            "The firm does well for the rest of 2021.",
            "Confidence is high in the remainder of 2021.",
        ),
    ],
)
def test_numbers_that_are_written_in_another_way(claim: str, text: str) -> None:
    assert not exact_findings(claim, Passage(text))


@pytest.mark.parametrize("name", ["temazepam-refractory", "heparin-induced"])
def test_a_drug_in_a_compound_is_a_drug(name: str) -> None:
    found = exact_findings(f"It was {name} anemia.", Passage("It was iron-refractory anemia."))
    assert ExactKind.DRUG in {one.kind for one in found}


@given(st.text(max_size=300))
def test_a_copy_says_nothing_else(text: str) -> None:
    assert not list(copied(text, [text]))


@given(st.text(alphabet="ab cd.5", max_size=200), st.text(alphabet="ab cd.6", max_size=300))
def test_any_two_texts_can_be_laid_together(claim: str, text: str) -> None:
    for _, start, end, _ in copied(claim, [text]):
        assert 0 <= start < end <= len(claim)
