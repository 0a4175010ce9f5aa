"""Runs every protocol over every link and pass, many at once: the time is spent waiting."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from rich.console import Console
from rich.progress import track

from benchmarks.split_cases import FAMILIES, Case
from benchmarks.split_cloud import Far, Lag, far_clouds, lag_of
from benchmarks.split_device import Measured, Protocol, Rounds, hinted, plain
from benchmarks.split_drafting import Drafters, replayer
from skerry.cloud.engines.base import TargetFacts
from skerry.edge.split.controller import Measured as Known

PLAIN, HINTS, PIPELINED, THRIFT = "plain", "hints", "pipelined", "thrift"
HINT_MS = 0.5
_TICK_S = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """`each` prompts of a family, `tokens` long at most, at every round trip and pass [ms];
    `sync` are the numbers of tokens that synchronous rounds draft. `judged` prompts of a family say
    how often guesses are right."""

    each: int
    judged: int
    tokens: int
    rtts: tuple[float, ...]
    passes: tuple[float, ...]
    sync: tuple[int, ...]
    at_once: int
    thrift_at: Far

    @property
    def fars(self) -> list[Far]:
        return [(rtt, pace) for rtt in self.rtts for pace in self.passes]


FULL = Plan(3, 12, 96, (10, 50, 100, 200), (20, 40, 80), (2, 4, 8, 16), 16, (50, 40))
QUICK = Plan(1, 1, 32, (50, 100), (40,), (4,), 12, (50, 40))

Key = tuple[Far, int, str]
"""Where, which case, by which protocol."""
Learnt = defaultdict[tuple[Far, str, str], Known]


@dataclass(frozen=True, slots=True)
class Grid:
    """What was measured. `cases` are in the order of the numbers in the keys."""

    plan: Plan
    cases: tuple[Case, ...]
    answers: Mapping[Key, Measured]
    cloud_lag: Lag
    device_lag: Lag

    def total_s(self, far: Far, family: str, protocol: str) -> float:
        """The time of all cases of a family."""
        return sum(one.took_s for one in self.of(far, family, protocol))

    def of(self, far: Far, family: str, protocol: str) -> list[Measured]:
        numbers = (i for i, case in enumerate(self.cases) if case.family == family)
        return [self.answers[far, i, protocol] for i in numbers]

    def speedup(self, far: Far, family: str, protocol: str) -> float:
        """Over plain streaming by the same cloud."""
        return self.total_s(far, family, PLAIN) / self.total_s(far, family, protocol)

    def best_sync(self, far: Far, family: str) -> float:
        """The speed-up of synchronous rounds with the best number of drafts for the cell."""
        return max(self.speedup(far, family, sync(count)) for count in self.plan.sync)

    @property
    def cells(self) -> list[tuple[Far, str]]:
        return [(far, family) for far in self.plan.fars for family in FAMILIES]


def sync(count: int) -> str:
    return f"sync {count}"


def measured(
    cases: Sequence[Case], facts: TargetFacts, plan: Plan, make: Drafters, seed: int
) -> Grid:
    """Every case by every protocol over every link, in an order that the seed draws, after one that
    warms up and is not counted. What a device learns of a cloud and a family it keeps, as the
    product does of a class of requests."""
    work = [(far, i) for far in plan.fars for i in range(len(cases))]
    draw = Random(seed)
    draw.shuffle(work)
    answers: dict[Key, Measured] = {}
    recordings = [case.recording for case in cases]
    with far_clouds(facts, recordings, plan.fars, HINT_MS) as clouds, _watched() as lags:
        for protocol in _protocols(plan, plan.fars[0], defaultdict(Known), "").values():
            protocol(clouds.urls[plan.fars[0]], cases[0].opening, make(cases[0].preview))
        known: Learnt = defaultdict(Known)

        def run(far: Far, number: int, order: float) -> None:
            case = cases[number]
            drafters = replayer(make, case.preview, case.guesses)
            protocols = list(_protocols(plan, far, known, case.family).items())
            Random(order).shuffle(protocols)
            for name, protocol in protocols:
                answers[far, number, name] = protocol(clouds.urls[far], case.opening, drafters())

        with ThreadPoolExecutor(plan.at_once) as pool:
            running = [pool.submit(run, *one, draw.random()) for one in work]
            for one in _shown(as_completed(running), len(running)):
                one.result()
    return Grid(plan, tuple(cases), answers, clouds.lag, lag_of(lags))


def _protocols(plan: Plan, far: Far, known: Learnt, family: str) -> dict[str, Protocol]:
    """What is measured at a place, by name; `known` is what devices have learnt."""
    protocols: dict[str, Protocol] = {
        PLAIN: lambda url, opening, _: plain(url, opening),
        HINTS: partial(hinted, known=known[far, family, HINTS]),
        PIPELINED: Rounds.pipelined(),
        **{sync(count): Rounds.synchronous(count) for count in plan.sync},
    }
    if far == plan.thrift_at:
        learnt = known[far, family, THRIFT]
        protocols[THRIFT] = partial(hinted, patience_ms=round(3 * far[0]), known=learnt)
    return protocols


def _shown(done: Iterator[Future[None]], total: int) -> Iterable[Future[None]]:
    quiet = not sys.stderr.isatty()
    return track(
        done, "answers", total, console=Console(stderr=True), disable=quiet, transient=True
    )


@contextmanager
def _watched() -> Iterator[list[float]]:
    """How much later than they wish this process' threads wake [ms]."""
    lags, ended = list[float](), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            wanted = time.perf_counter() + _TICK_S
            time.sleep(_TICK_S)
            lags.append((time.perf_counter() - wanted) * 1e3)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lags
    finally:
        ended.set()
        thread.join()
