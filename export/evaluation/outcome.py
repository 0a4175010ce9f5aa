"""What one check of the gate says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from skerry.export.evaluation.statistics import Interval


class Outcome(StrEnum):
    """`skipped`: cannot be compared, and need not be."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """`difference` is new less old, or new over old where the name says ratio, with its interval;
    `bound` what it was compared with."""

    name: str
    outcome: Outcome
    old: float | None = None
    new: float | None = None
    difference: Interval | None = None
    bound: float | None = None
    note: str = ""


def missing(name: str, why: str) -> Check:
    """A check that cannot be made, and therefore fails."""
    return Check(str(name), Outcome.FAIL, note=why)


def bounded(name: str, value: float, bound: float, passed: bool) -> Check:
    """A check of the new variant alone."""
    return Check(name, Outcome.PASS if passed else Outcome.FAIL, new=value, bound=bound)
