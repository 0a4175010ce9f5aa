"""What an evaluation says, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding import Label
from skerry.guardrails.train.grounding.measure import Figures, Verdict


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds on one thread, by the clock and of the processor; megabytes."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float
    disk_mb: float
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Report:
    """`perturbed`, `handbook` and `invented` have claims by the kind of their mistake, `faithful`
    claims without one by where they are from."""

    sets: Mapping[str, Figures]
    perturbed: Mapping[str, Sequence[Verdict]]
    handbook: Mapping[str, Sequence[Verdict]]
    invented: Mapping[str, Sequence[Verdict]]
    faithful: Mapping[str, Sequence[Verdict]]
    cost: Cost
    threshold: float


def caught(found: Sequence[Verdict]) -> float:
    """The share that is not taken for supported."""
    return sum(one.label is not Label.SUPPORTED for one in found) / max(len(found), 1)


def caught_alone(found: Sequence[Verdict], threshold: float) -> float:
    """The share that the classifier alone does not take for supported."""
    return sum(one.score < threshold for one in found) / max(len(found), 1)
