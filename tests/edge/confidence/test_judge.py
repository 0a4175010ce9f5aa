"""The labels that training believes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

pytest.importorskip("zstandard")

from skerry.edge.confidence.train.halueval import page_text, spaced_sentences
from skerry.edge.confidence.train.judge import holds, is_answered, is_correct
from skerry.edge.confidence.train.questions import Fate, Gold
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import GroundedGate
from skerry.guardrails.judging import Judge


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    wanted: str
    held: bool


HOLDS = [
    Case("as is", "It is Delhi.", "Delhi", True),
    Case("case", "it is DELHI", "Delhi", True),
    Case("part of a word", "New Delhians live there", "Delhi", False),
    Case("article", "In the basement corridor.", "the basement corridor", True),
    Case("thousands", "1 in 40,000 people", "1 in 40000", True),
    Case("another number", "1 in 400,000 people", "1 in 40,000", False),
    Case("a mark is no number", "It is so [20].", "20", False),
    Case("hyphen", "It is X-linked recessive.", "X-linked recessive", True),
    Case("order", "recessive autosomal", "autosomal recessive", False),
]


@pytest.mark.parametrize("case", HOLDS, ids=lambda case: case.name)
def test_a_text_holds_a_fact(case: Case) -> None:
    assert holds(case.text, case.wanted) is case.held


DOMINANT = Gold(("autosomal dominant",), ("autosomal recessive",))
SOURCE = "It is autosomal dominant, seldom autosomal recessive."


@pytest.mark.parametrize(
    ("draft", "answerable", "correct"),
    [
        ("It is autosomal dominant [1].", True, True),
        ("It is autosomal recessive [1].", True, False),
        ("It is autosomal dominant, seldom autosomal recessive [1].", True, False),
        ("The documents do not say.", True, False),
        ("The documents do not say.", False, True),
        ("It is autosomal dominant [1].", False, False),
    ],
)
def test_an_answer_is_judged(draft: str, answerable: bool, correct: bool) -> None:
    gate = GroundedGate(Judge("Is it dominant or recessive?", [Evidence(1, SOURCE)]))
    gate.feed(draft)
    _, answer = gate.finish()
    assert is_correct(answer, DOMINANT, answerable=answerable) is correct


def test_only_what_the_model_sees_is_answerable() -> None:
    assert is_answered(DOMINANT, ["Other.", SOURCE])
    assert not is_answered(DOMINANT, ["Other."])
    assert not is_answered(DOMINANT, [])


@pytest.mark.parametrize(
    ("fate", "text"),
    [
        (Fate.KEPT, "Ann was born in Rome. Ben wrote it."),
        (Fate.CUT, "Ben wrote it."),
        (Fate.LEFT_OUT, ""),
    ],
)
def test_a_page_meets_its_fate(fate: Fate, text: str) -> None:
    assert page_text("Ann was born in Rome.Ben wrote it.", Gold(("Rome",)), fate) == text


def test_lost_spaces_are_put_back_between_sentences_alone() -> None:
    assert spaced_sentences("It ended in 1846.First for Women, e.g. U.S.A.") == (
        "It ended in 1846. First for Women, e.g. U.S.A."
    )
