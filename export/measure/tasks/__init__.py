"""Tasks that say what a variant can still do: own-written items, greedy answers, each kept.

Two variants are compared item by item, so a result keeps the score of each. Routing needs a
router, which the caller brings (`RoutesText`); the others need a model that answers.
"""

from __future__ import annotations

from skerry.export.measure.tasks.items import questions_and_contexts
from skerry.export.measure.tasks.run import GENERATED, TASKS, RoutesText, run_routing, run_tasks

__all__ = [
    "GENERATED",
    "TASKS",
    "RoutesText",
    "questions_and_contexts",
    "run_routing",
    "run_tasks",
]
