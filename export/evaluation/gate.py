"""The gate's verdict on a pair of variants. Pure; every check says what it compared.

A difference passes when its whole confidence interval lies on the right side of the bound
(non-inferiority; Piaggio et al. 2012, JAMA 308). All checks must pass, so that none needs a
correction for their number (intersection-union test; Berger 1982, Technometrics 24).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import exp, log

from skerry.export.evaluation.checks_of_cost import cost_checks
from skerry.export.evaluation.outcome import Check, Outcome, bounded, missing
from skerry.export.evaluation.pairs import Pair
from skerry.export.evaluation.statistics import Interval, mcnemar, mean_interval
from skerry.export.evaluation.thresholds import TaskLimit, Thresholds
from skerry.export.measure.results import TaskResult, Window

__all__ = ["Check", "Outcome", "Verdict", "gate"]


class Group(StrEnum):
    TASK = "task"
    FIDELITY = "fidelity"
    ENCODING = "encoding"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one pair. `ok`: no check failed."""

    old: str
    new: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(one.outcome is not Outcome.FAIL for one in self.checks)


def gate(pair: Pair, limits: Thresholds) -> Verdict:
    """Every check that the measurements of `pair` allow; one that was measured of the old variant
    only fails."""
    checks = (
        *_tasks(pair, limits),
        *_fidelity(pair, limits),
        *_encoding(pair, limits),
        *cost_checks(pair, limits),
    )
    if not checks:
        checks = (missing("everything", "nothing was measured of both"),)
    return Verdict(pair.old.name, pair.new.name, checks)


def _tasks(pair: Pair, limits: Thresholds) -> Iterator[Check]:
    for name, old in pair.old.tasks.items():
        new, limit = pair.new.tasks.get(name), limits.tasks.get(name)
        if limit is None:
            continue
        if new is None or new.digest != old.digest or not _same_items(old, new):
            why = "not measured of the new one" if new is None else "the items are others"
            yield missing(f"{Group.TASK} {name}", why)
            continue
        yield _task(old, new, limit, limits)
        if limit.floor:
            floored = new.score >= limit.floor
            yield bounded(f"{Group.TASK} {name}, at least", new.score, limit.floor, floored)


def _same_items(old: TaskResult, new: TaskResult) -> bool:
    return [one.id for one in old.items] == [one.id for one in new.items] != []


def _task(old: TaskResult, new: TaskResult, limit: TaskLimit, limits: Thresholds) -> Check:
    items = list(zip(old.items, new.items, strict=True))
    found = _interval([after.score - before.score for before, after in items], None, limits)
    lost = sum(before.right and not after.right for before, after in items)
    won = sum(after.right and not before.right for before, after in items)
    return Check(
        name=f"{Group.TASK} {old.task}",
        outcome=_above(found, -limit.margin),
        old=old.score,
        new=new.score,
        difference=found,
        bound=-limit.margin,
        note=f"{len(items)} items: {won} won, {lost} lost, McNemar p = {mcnemar(lost, won):.3f}",
    )


def _fidelity(pair: Pair, limits: Thresholds) -> Iterator[Check]:
    old, new, limit = pair.old.fidelity, pair.new.fidelity, limits.fidelity
    if old is None:
        return
    if new is None or pair.old.held != pair.new.held:
        yield missing(Group.FIDELITY, "not measured of the new one on the same text")
        return
    yield bounded("kl to the source", new.kl_mean, limit.kl_max, new.kl_mean <= limit.kl_max)
    if [one.tokens for one in old.windows] != [one.tokens for one in new.windows]:
        yield missing("perplexity", "the tokens are others: the sources are two models")
        return
    windows = list(zip(old.windows, new.windows, strict=True))
    yield _perplexity(windows, limits)
    tops = _interval([b.top1 - a.top1 for a, b in windows], _weights(windows), limits)
    yield Check("top-1 agreement", _above(tops, -limit.top1_drop), old.top1_agreement,
                new.top1_agreement, tops, -limit.top1_drop)  # fmt: skip


def _perplexity(windows: list[tuple[Window, Window]], limits: Thresholds) -> Check:
    weights = _weights(windows)
    logs = _interval([b.nll - a.nll for a, b in windows], weights, limits)
    ratio = Interval(*(exp(value) for value in (logs.estimate, logs.low, logs.high)))
    highest = limits.fidelity.perplexity_ratio
    old, new = (
        exp(sum(one[side].nll * weight for one, weight in zip(windows, weights, strict=True))
            / sum(weights))
        for side in (0, 1)
    )  # fmt: skip
    outcome = Outcome.PASS if logs.high <= log(highest) else Outcome.FAIL
    return Check("perplexity, ratio", outcome, old, new, ratio, highest)


def _weights(windows: list[tuple[Window, Window]]) -> list[float]:
    """`nll` is of one token fewer than a window has, which changes nothing to speak of."""
    return [float(one.tokens) for one, _ in windows]


def _encoding(pair: Pair, limits: Thresholds) -> Iterator[Check]:
    old, new, limit = pair.old.encoding, pair.new.encoding, limits.encoding
    if old is not None and new is None:
        yield missing(Group.ENCODING, "not measured of the new one")
    if new is not None:
        cosine, near = new.cosine_mean, new.nn_agreement
        yield bounded(
            "cosine to the source", cosine, limit.cosine_mean, cosine >= limit.cosine_mean
        )
        yield bounded("nearest neighbours", near, limit.nn_agreement, near >= limit.nn_agreement)


def _interval(values: list[float], weights: list[float] | None, limits: Thresholds) -> Interval:
    return mean_interval(
        values,
        weights=weights,
        confidence=limits.confidence,
        resamples=limits.resamples,
        seed=limits.seed,
    )


def _above(found: Interval, bound: float) -> Outcome:
    return Outcome.PASS if found.low >= bound else Outcome.FAIL
