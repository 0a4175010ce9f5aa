"""How strongly reports speak against a version, at any moment, however often one looks.

Both tests are e-processes: non-negative supermartingales that start at 1 while the version is good.
By Ville's inequality such a process ever reaches 1/a with a chance of at most a, whenever and
however often it is looked at; means of them are e-processes again (Ramdas, Grünwald, Vovk, Shafer:
Game-theoretic statistics and safe anytime-valid inference, Statistical Science 38(4), 2023). A
mixture of likelihood ratios is the mixture SPRT (Robbins, Ann. Math. Statist. 41, 1970; Johari,
Koomen, Pekelis, Walsh: Peeking at A/B tests, KDD 2017).

- Failures: H0 says that a device fails with a chance of `failure_rate` at most, whatever came
  before it. The mixture is over higher rates.
- Signals: a device is compared with itself under the version before. H0 says that of those that
  moved by more than the margin, no more than half got worse (a sequential sign test; Wald's double
  dichotomy, Sequential Analysis, 1947, ch. 6). It asks nothing of how the numbers are spread.

Each profile has processes of its own, so that one bad class of devices is not diluted by the
others; what is compared with the limit is the mean of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from skerry.sync.rollouts.plan import Plan, Signal, Worse

OTHERS = ""
"""The profile under which devices are counted whose own was not there at the start."""
_POINTS = 16
_HALF = 0.5
_LONGEST_LOG = 700.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Settled devices of one profile: how many, how many failed; by signal, how many got worse and
    how many got better by more than the margin."""

    settled: int = 0
    failed: int = 0
    worse: Mapping[str, int] | None = None
    better: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`total` is the e-value against the version. `of` is that of each test and profile."""

    total: float
    of: Mapping[tuple[str, str], float]

    @property
    def strongest(self) -> tuple[str, str]:
        """Test (`failures`, or a signal's name) and profile that speak most against it."""
        return max(self.of, key=self.of.__getitem__, default=("failures", OTHERS))


def evidence(plan: Plan, profiles: Iterable[str], tallies: Mapping[str, Tally]) -> Evidence:
    """Of all tests of a plan; `profiles` were there at the start (the weights must not depend on
    what was seen)."""
    names = [*sorted(set(profiles) - {OTHERS}), OTHERS]
    found: dict[tuple[str, str], float] = {}
    total = 0.0
    weights = {signal.name: _HALF / len(plan.signals) for signal in plan.signals}
    of_failures = _HALF if plan.signals else 1.0
    for name in names:
        tally = tallies.get(name, Tally())
        value = e_value(tally.failed, tally.settled, plan.limits.failure_rate)
        found["failures", name] = value
        total += of_failures * value / len(names)
        for signal, weight in weights.items():
            worse = (tally.worse or {}).get(signal, 0)
            value = e_value(worse, worse + (tally.better or {}).get(signal, 0), _HALF)
            found[signal, name] = value
            total += weight * value / len(names)
    return Evidence(total, found)


@lru_cache(maxsize=1 << 16)
def e_value(hits: int, trials: int, rate: float) -> float:
    """Against "each trial is a hit with a chance of `rate` at most": the mean over higher rates p
    of (p/rate)^hits ((1-p)/(1-rate))^(trials-hits). 1 before the first trial; capped at e^700."""
    misses = trials - hits
    logs = [hits * up + misses * down for up, down in _ratios(rate)]
    most = max(logs)
    mean = most + math.log(sum(math.exp(one - most) for one in logs) / len(logs))
    return math.exp(min(mean, _LONGEST_LOG))


@lru_cache(maxsize=64)
def _ratios(rate: float) -> tuple[tuple[float, float], ...]:
    """Logarithms of p/rate and (1-p)/(1-rate), for odds evenly spaced (in logarithms) above."""
    least, most = rate / (1 - rate) * 1.2, max(4.0, rate / (1 - rate) * 8)
    step = math.log(most / least) / (_POINTS - 1)
    rates = [odds / (1 + odds) for odds in (least * math.exp(i * step) for i in range(_POINTS))]
    return tuple((math.log(p / rate), math.log((1 - p) / (1 - rate))) for p in rates)


def compared(signal: Signal, before: float, now: float) -> int:
    """1: worse by more than the margin, -1: better, 0: neither, or no number."""
    change = now - before if signal.worse is Worse.HIGHER else before - now
    margin = signal.margin * abs(before) if signal.relative else signal.margin
    if not math.isfinite(change) or not math.isfinite(margin):
        return 0
    return (change > margin) - (change < -margin)
