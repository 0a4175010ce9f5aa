"""What the gate says of speed, memory and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from skerry.export.evaluation.outcome import Check, Outcome, missing
from skerry.export.evaluation.pairs import Pair
from skerry.export.evaluation.statistics import ratio_interval
from skerry.export.evaluation.thresholds import Thresholds
from skerry.export.measure.results import Cost

_SAME = ("system", "architecture", "features", "cores")


def cost_checks(pair: Pair, limits: Thresholds) -> Iterator[Check]:
    """Ratios of new over old."""
    yield _at_most("size, ratio", pair.old.size_bytes, pair.new.size_bytes, limits.size.file_ratio)
    old, new = pair.old.cost, pair.new.cost
    if old is None:
        return
    if new is None:
        yield missing("speed and memory", "not measured of the new one")
        return
    most = limits.size.memory_ratio
    yield _at_most("peak memory, ratio", old.peak_mb, new.peak_mb, most)
    yield from _speeds(pair, old, new, limits)


def _speeds(pair: Pair, old: Cost, new: Cost, limits: Thresholds) -> Iterator[Check]:
    apart = [key for key in _SAME if pair.old.machine.get(key) != pair.new.machine.get(key)]
    if apart or old.threads != new.threads:
        outcome = Outcome.FAIL if limits.speed.required else Outcome.SKIPPED
        why = f"measured on different machines: {', '.join(apart) or 'threads'}"
        yield Check("speed", outcome, note=why)
        return
    speed = limits.speed
    yield from _speed("decode tokens/s, ratio", old.decode_tokens_s, new.decode_tokens_s,
                      limits, least=speed.decode_ratio)  # fmt: skip
    yield from _speed("prefill tokens/s, ratio", old.prefill_tokens_s, new.prefill_tokens_s,
                      limits, least=speed.prefill_ratio)  # fmt: skip
    yield from _speed("seconds to first token, ratio", old.ttft_s, new.ttft_s,
                      limits, most=speed.ttft_ratio)  # fmt: skip


def _speed(
    name: str,
    old: Sequence[float],
    new: Sequence[float],
    limits: Thresholds,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Iterator[Check]:
    """Fails where medians are beyond the bound. The interval is shown and does not count: a few
    repetitions in one process say little of the next hour."""
    if not old:
        return
    if not new:
        yield missing(name, "not measured of the new one")
        return
    found = ratio_interval(new, old, confidence=limits.confidence, resamples=limits.resamples,
                           seed=limits.seed)  # fmt: skip
    passed = found.estimate >= least if least is not None else found.estimate <= (most or 0)
    outcome = Outcome.PASS if passed else Outcome.FAIL
    yield Check(name, outcome, median(old), median(new), found, least or most)


def _at_most(name: str, old: float, new: float, bound: float) -> Check:
    outcome = Outcome.PASS if new <= bound * old else Outcome.FAIL
    return Check(name, outcome, float(old), float(new), None, bound)
