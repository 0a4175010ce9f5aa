"""Runs tasks: every item once, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from skerry.export.measure.errors import MeasureFailed
from skerry.export.measure.results import ItemResult, TaskResult
from skerry.export.measure.tasks.items import Item, items_digest, items_of, routed_items

_T = TypeVar("_T")

Completion = Callable[[str, str, int], str]
"""(system, user, most tokens) -> the model's answer; the same for the same."""

GENERATED = ("grounded_qa", "refusal", "json_validity", "format")
TASKS = (*GENERATED, "routing")


class RoutesText(Protocol):
    """A router, as `routing` needs it."""

    def route_class(self, text: str) -> str:
        """The class of a request, such as "lookup"."""
        ...


def run_tasks(
    answer: Completion, tasks: Iterable[str], *, most: int | None = None
) -> dict[str, TaskResult]:
    """Asks `answer` the items of `tasks`, at most `most` of each, spread evenly.

    Raises:
        MeasureFailed: there is no such task.
    """
    return {task: _run(answer, task, most) for task in tasks}


def run_routing(router: RoutesText, *, most: int | None = None) -> TaskResult:
    """How many requests `router` puts into their class."""
    asked = spread(routed_items(), most)
    classes = [(one, router.route_class(one.text)) for one in asked]
    return summed(
        "routing",
        [
            ItemResult(one.id, float(said == one.wanted), said == one.wanted, said)
            for one, said in classes
        ],
    )


def spread(items: Sequence[_T], most: int | None) -> Sequence[_T]:
    """`most` of `items`, evenly over all of them: a set's kinds lie one after the other."""
    if most is None or most >= len(items):
        return items
    return [items[index * len(items) // most] for index in range(max(1, most))]


def summed(task: str, results: Sequence[ItemResult]) -> TaskResult:
    count = len(results)
    return TaskResult(
        task=task,
        digest=items_digest(task),
        score=sum(one.score for one in results) / count,
        right=sum(one.right for one in results) / count,
        items=tuple(results),
    )


def _run(answer: Completion, task: str, most: int | None) -> TaskResult:
    if task not in GENERATED:
        raise MeasureFailed(
            f"there is no task '{task}' for a model", hint=f"there are: {', '.join(GENERATED)}"
        )
    return summed(task, [_asked(answer, item) for item in spread(items_of(task), most)])


def _asked(answer: Completion, item: Item) -> ItemResult:
    said = answer(item.system, item.user, item.max_tokens)
    verdict = item.check(said)
    return ItemResult(item.id, verdict.score, verdict.right, said)
