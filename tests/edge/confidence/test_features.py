"""What the features see in an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.confidence.features import NAMES, Answered, Source, features
from skerry.edge.engines.base import TokenStats
from skerry.guardrails.answer import Evidence
from skerry.guardrails.gate import GroundedGate
from skerry.guardrails.judging import Judge

from .conftest import STATS, Answering

WHEN = "When is the vaccine fridge checked?"
COPIED = "The vaccine fridge is checked by the duty nurse at 08:30 [1]."
GOOD = "The vaccine fridge is checked at 08:30 [1]."


@dataclass(frozen=True)
class Case:
    name: str
    question: str
    draft: str
    feature: str
    value: float


CASES = [
    Case("a time for when", WHEN, GOOD, "fits_kind", 1),
    Case("no time for when", WHEN, "The duty nurse checks the vaccine fridge [1].", "fits_kind", 0),
    Case("cites the best", WHEN, GOOD, "cites_best", 1),
    Case(
        "cites another", "Where is the trolley?", "The trolley is in room B12 [2].", "cites_best", 0
    ),
    Case(
        "a place for where", "Where is the trolley?", "The trolley is in room B12.", "fits_kind", 1
    ),
    Case("what is asked is answered", WHEN, GOOD, "predicate_in_answer", 1),
    Case("a passage tells it all", WHEN, GOOD, "told_in_passage", 1),
    Case("nothing dropped", WHEN, GOOD, "dropped", 0),
    Case("dropped", WHEN, "Bananas ripen on Jupiter.", "dropped", 1),
    Case("in the source's words", WHEN, "Bananas ripen on Jupiter.", "quoted", 1),
    Case("in the source's words, marked", WHEN, COPIED, "quoted", 1),
    Case("all asked is in the title", "The fridge?", COPIED, "predicate_in_answer", 1),
    Case("in words of its own", WHEN, GOOD, "quoted", 0),
    Case("says there is none", WHEN, "The documents do not say.", "none_given", 1),
    Case("says something", WHEN, GOOD, "none_given", 0),
    Case("gap of the best", WHEN, GOOD, "score_gap", 0.5),
    Case("statistics", WHEN, GOOD, "mean_entropy", STATS.mean_entropy),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_feature_sees(case: Case, answered: Answering) -> None:
    measured = dict(zip(NAMES, features(answered(case.question, case.draft)), strict=True))
    assert measured[case.feature] == pytest.approx(case.value)


def test_a_count_stands_before_what_is_counted() -> None:
    source = Evidence(1, "The study had 41 women and took 12 weeks.")
    gate = GroundedGate(Judge("How many women were studied?", [source]))
    gate.feed("The study had 41 women [1].")
    _, answer = gate.finish()
    found = Answered("How many women were studied?", answer, [Source(source, 0.5, 0.5)], STATS)
    assert found.counts_asked
    assert not Answered("How many men were studied?", answer, found.sources, STATS).counts_asked


def test_a_number_of_the_question_is_no_answer() -> None:
    source = Evidence(1, "Room 7 is cleaned.")
    gate = GroundedGate(Judge("When is room 7 cleaned?", [source]))
    gate.feed("Room 7 is cleaned [1].")
    _, answer = gate.finish()
    found = Answered("When is room 7 cleaned?", answer, [Source(source, 0.5, 0.5)], STATS)
    assert found.fits_kind is False


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_features_of_any_text_are_finite(question: str, draft: str, source: str) -> None:
    evidence = Evidence(1, source)
    gate = GroundedGate(Judge(question, [evidence]))
    gate.feed(draft)
    _, answer = gate.finish()
    stats = TokenStats(-1.0, -3.0, 1.0, 2.0)
    measured = features(Answered(question, answer, [Source(evidence, 0.1, 0.1)], stats))
    assert measured.shape == (len(NAMES),)
    assert np.isfinite(measured).all()
