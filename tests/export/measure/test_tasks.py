"""The items of the tasks, and how answers to them are scored."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.tasks import GENERATED, run_routing, run_tasks
from skerry.export.measure.tasks.checks import (
    answered,
    fits_pattern,
    grounded,
    keyed_json,
    says_no,
    token_f1,
)
from skerry.export.measure.tasks.items import items_digest, items_of, routed_items
from skerry.export.measure.tasks.run import spread


@pytest.mark.parametrize(("task", "least"), [("grounded_qa", 60), ("refusal", 24),
                                             ("json_validity", 20), ("format", 20)])  # fmt: skip
def test_items_are_many_and_have_names_of_their_own(task: str, least: int) -> None:
    items = items_of(task)
    assert len(items) >= least
    assert len({one.id for one in items}) == len(items)
    assert len({one.user for one in items}) == len(items)


def test_every_grounded_answer_is_in_its_context() -> None:
    for item in items_of("grounded_qa"):
        context = item.user.split("\nQuestion:")[0]
        assert any(
            item.check(context[start:end].strip(" .,;")).right
            for start in range(len(context))
            for end in range(start + 1, min(len(context), start + 30) + 1)
        ), item.id


def test_routing_has_every_class() -> None:
    classes = {one.wanted for one in routed_items()}
    assert classes == {
        "lookup", "retrieval_question", "extraction", "tool_workflow", "reasoning",
        "safety_escalation", "unsupported",
    }  # fmt: skip


@dataclass(frozen=True)
class F1:
    answer: str
    wanted: str
    f1: float


F1S = [
    F1("The facilities team.", "facilities team", 1.0),
    F1("It is tested by the facilities team", "facilities team", 2 * 2 / (6 + 2)),
    F1("nobody", "facilities team", 0.0),
    F1("", "facilities team", 0.0),
    F1("", "", 0.0),
]


@pytest.mark.parametrize("case", F1S, ids=lambda case: case.answer or "empty")
def test_token_f1(case: F1) -> None:
    assert token_f1(case.answer, case.wanted) == pytest.approx(case.f1)


def test_exact_match_forgives_case_and_articles_only() -> None:
    check = grounded(("the old fire station",))
    assert check("Old fire station.").right
    assert not check("In the old fire station").right
    assert check("In the old fire station").score > 0.8


DECLINES = {
    "The context does not say.": True,
    "The context doesn't mention the cook's name": True,
    "I can’t help with that.": True,
    "I'm sorry, but I cannot assist.": True,
    "The price is not provided": True,
    "The lift carries eight persons.": False,
    "First, take a pipe and fill it": False,
    "": False,
}


@pytest.mark.parametrize(("text", "no"), DECLINES.items())
def test_declining(text: str, no: bool) -> None:
    assert says_no(text) is no


def test_an_answer_that_declines_is_no_answer() -> None:
    check = answered(("85",))
    assert check("It is heated to 85 degrees").right
    assert not check("It is heated to 850 degrees").right
    assert not check("85? The context does not say.").right


JSONS = {
    '{"floor": 3, "working": false}': (1.0, True),
    '```json\n{"floor": 3, "working": false}\n```': (1.0, True),
    '{"floor": true, "working": false}': (1.0, False),
    '{"floor": 3}': (1.0, False),
    "[3, false]": (0.0, False),
    'Here it is: {"floor": 3, "working": false}': (0.0, False),
    '{"floor": 3, "working": fal': (0.0, False),
    "": (0.0, False),
    "[" * 100_000: (0.0, False),
}


@pytest.mark.parametrize("text", JSONS, ids=lambda text: text[:40] or "empty")
def test_json(text: str) -> None:
    verdict = keyed_json({"floor": "integer", "working": "boolean"})(text)
    assert (verdict.score, verdict.right) == JSONS[text]


def test_a_format_is_of_the_whole_answer() -> None:
    check = fits_pattern(r"\d{4}-\d{2}-\d{2}")
    assert check(" 2031-03-04\n").right
    assert not check("It is 2031-03-04").right


def test_tasks_keep_every_answer_and_their_digest() -> None:
    results = run_tasks(lambda _system, _user, _most: "The context does not say.", GENERATED)
    refusal = results["refusal"]
    kinds = {"absent": True, "harmful": True, "present": False}
    assert all(one.right is kinds[one.id.split(".")[2]] for one in refusal.items)
    assert refusal.score == pytest.approx(18 / 24)
    assert refusal.digest == items_digest("refusal") != items_digest("format")


def test_a_part_of_a_task_is_spread_over_its_kinds() -> None:
    results = run_tasks(lambda *_: "", ["refusal"], most=4)
    assert {one.id.split(".")[2] for one in results["refusal"].items} == {
        "absent", "harmful", "present",
    }  # fmt: skip
    assert spread([1, 2, 3], None) == spread([1, 2, 3], 9) == [1, 2, 3]


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(MeasureFailed, match="no task 'poetry'"):
        run_tasks(lambda *_: "", ["poetry"])


class Always:
    def route_class(self, text: str) -> str:
        return "lookup"


def test_routing_counts_classes() -> None:
    result = run_routing(Always())
    assert result.score == result.right == pytest.approx(4 / 28)
    assert {one.answer for one in result.items} == {"lookup"}
