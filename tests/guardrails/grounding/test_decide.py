"""How the classifier and the exact checks make one label. No model."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.guardrails.grounding.checker import Grounding, Label, Seen, decide, overall
from skerry.guardrails.grounding.exact import Exact, ExactKind
from skerry.guardrails.grounding.inputs import asked
from skerry.guardrails.grounding.model import Outcome
from skerry.guardrails.grounding.windows import Window


def seen(
    supported: float, contradicted: float = 0.0, exact: tuple[Exact, ...] = (), start: int = 0
) -> Seen:
    not_found = 1 - supported - contradicted
    return Seen(
        Window("text", start, 9), Outcome(supported, contradicted, not_found, (), ()), exact
    )


RIVAL = Exact(ExactKind.NUMBER, 0, 1, contradicts=True)
NAME = Exact(ExactKind.NAME, 0, 1, contradicts=False)
OTHER_NAME = Exact(ExactKind.NAME, 0, 1, contradicts=True)


@dataclass(frozen=True)
class Case:
    name: str
    windows: tuple[Seen, ...]
    label: Label


CASES = [
    Case("supported", (seen(0.9),), Label.SUPPORTED),
    Case("contradicted", (seen(0.1, 0.8),), Label.CONTRADICTED),
    Case("not found", (seen(0.1, 0.2),), Label.NOT_FOUND),
    Case("at the threshold", (seen(0.5),), Label.SUPPORTED),
    Case("a wrong number outweighs the classifier", (seen(0.99, 0, (RIVAL,)),), Label.CONTRADICTED),
    Case("a name that is not there", (seen(0.7, 0, (NAME,)),), Label.NOT_FOUND),
    Case("a name that is said otherwise", (seen(0.9, 0, (NAME,)),), Label.SUPPORTED),
    Case("a name for another", (seen(0.9, 0, (OTHER_NAME,)),), Label.CONTRADICTED),
    Case("one window holds it", (seen(0.1, 0.9, (RIVAL,)), seen(0.9)), Label.SUPPORTED),
    Case("two halves do not", (seen(0.7, 0, (NAME,)), seen(0.2, 0.1)), Label.NOT_FOUND),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_decide(case: Case) -> None:
    assert decide(case.windows, 0.5)[0] is case.label


def test_the_window_is_the_one_that_the_label_rests_on() -> None:
    label, on = decide([seen(0.6, start=1), seen(0.9, start=2), seen(0.2, 0.8, start=3)], 0.5)
    assert (label, on.window.start) == (Label.SUPPORTED, 2)
    label, on = decide([seen(0.2, start=1), seen(0.1, 0.8, start=2)], 0.5)
    assert (label, on.window.start) == (Label.CONTRADICTED, 2)


def test_over_sources_one_support_is_enough() -> None:
    found = [Grounding(label, 0.5, 0.5, (0, 1)) for label in Label]
    assert overall(found) is Label.SUPPORTED
    assert overall(found[1:]) is Label.CONTRADICTED
    assert overall(found[2:]) is Label.NOT_FOUND
    assert overall([]) is Label.NOT_FOUND


def test_only_a_short_claim_takes_its_question_with_it() -> None:
    assert asked("Every day.", "How often?") == "How often? Every day."
    whole = "The emergency trolley is checked before nine."
    assert asked(whole, "How often?") == whole
    assert asked("Every day.", "") == "Every day."
