"""What holds after any events in any order."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.sync.offers import Stage as Said
from skerry.sync.rollouts.cohorts import Device, place, stage_of
from skerry.sync.rollouts.errors import NotAllowed
from skerry.sync.rollouts.evidence import e_value
from skerry.sync.rollouts.machine import step
from skerry.sync.rollouts.plan import Stage
from skerry.sync.rollouts.rollout import (
    Approved,
    Checked,
    Denied,
    Event,
    GateResult,
    Halted,
    Observed,
    Outcome,
    Paused,
    Resumed,
    Retried,
    Rollout,
    Sized,
    Started,
)
from skerry.sync.rollouts.states import RolloutState, TargetState
from skerry.sync.rollouts.targets import after, told
from tests.sync.rollouts.building import NEW, OLD, plan, ready

PEOPLE = st.sampled_from(["ada", "bo", "cy"])
TIMES = st.floats(0, 1e5, allow_nan=False)
OUTCOMES = st.builds(
    Outcome,
    stage=st.integers(0, 2),
    profile=st.sampled_from(["phone", "laptop", "unheard of"]),
    succeeded=st.booleans(),
    again=st.booleans(),
    marks=st.dictionaries(st.sampled_from(["health_score", "x"]), st.integers(-1, 1)),
)
COUNTS = st.dictionaries(st.integers(0, 2), st.integers(0, 200), max_size=3)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Checked,
        gate=st.just("deltas"),
        result=st.builds(GateResult, st.booleans(), st.just(""), PEOPLE, TIMES),
    ),
    st.builds(Approved, PEOPLE),
    st.builds(Denied, PEOPLE),
    st.builds(Started, PEOPLE),
    st.builds(Sized, TIMES, st.just({"phone": 50, "laptop": 50}), st.just((10, 90))),
    st.builds(Observed, TIMES, COUNTS, COUNTS, st.lists(OUTCOMES, max_size=20).map(tuple)),
    st.builds(Paused, PEOPLE),
    st.builds(Resumed, PEOPLE, TIMES),
    st.builds(Halted, PEOPLE),
    st.builds(Retried, PEOPLE),
)


def _each(rollout: Rollout, events: list[Event], check: Callable[[Rollout, Rollout], None]) -> None:
    for event in events:
        try:
            changed = step(rollout, event)
        except NotAllowed:
            continue
        check(rollout, changed)
        rollout = changed


@given(st.lists(EVENTS, max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_events_in_any_order(events: list[Event]) -> None:
    def check(before: Rollout, now: Rollout) -> None:
        assert now.stage >= before.stage
        assert now.attempt >= before.attempt
        assert now.evidence >= before.evidence
        assert 0 <= now.stage < len(now.plan.stages)
        assert now.author not in now.approvals
        if before.state is RolloutState.STOPPED:
            assert now.state is RolloutState.STOPPED
        if now.state.is_active or now.state is RolloutState.FINISHED:
            assert len(set(now.approvals)) >= now.plan.approvals
            assert all(now.gates[gate].passed for gate in now.plan.gates)
        for one in now.counts:
            assert min(one.offered, one.succeeded, one.failed, one.again) >= 0

    _each(ready(gates=("deltas",), approvals=1), events, check)


@given(st.lists(EVENTS, max_size=40), st.integers(0, 500), st.sampled_from([OLD.digest, "9" * 64]))
@settings(max_examples=200, deadline=None)
def test_nobody_is_told_to_take_what_does_not_run(
    events: list[Event], number: int, digest: str
) -> None:
    device = Device(f"device-{number}", "phone", digest=digest)

    def check(_: Rollout, now: Rollout) -> None:
        offer = told((now,), device)
        if offer is not None:
            assert now.state.gives
            assert offer.version == NEW
            assert offer.stage <= now.stage

    _each(ready(gates=("deltas",), approvals=1), events, check)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_place_is_on_the_ring_and_stays(salt: str, device: str) -> None:
    assert 0 <= place(salt, device) < 1
    assert place(salt, device) == place(salt, device)


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=30),
)
def test_wider_stages_only_add_devices(percents: list[float], numbers: list[int]) -> None:
    """A device that is in the stages up to 5 % is in those up to 20 %, whatever lies between."""
    percents.sort()
    chosen = plan(stages=tuple(Stage(str(one), one) for one in percents))
    for number in numbers:
        device = Device(f"d{number}", "phone")
        here = place("r1", device.id) * 100
        stage = stage_of(chosen, device, {}, None)
        fitting = [i for i, percent in enumerate(percents) if here < percent]
        assert stage == (fitting[0] if fitting else None)


@given(st.lists(st.sampled_from(Said), max_size=12))
def test_reports_twice_and_in_any_order_settle_a_device_once(reports: list[Said]) -> None:
    states = [TargetState.PENDING]
    for said in reports:
        states.append(after(states[-1], said))
        assert after(states[-1], said) is states[-1]  # said twice
    for before, now in pairwise(states):
        if before is TargetState.ERROR:
            assert now is TargetState.ERROR
        if before is TargetState.IN_SYNC:
            assert now in (TargetState.IN_SYNC, TargetState.ERROR)


@given(st.floats(1e-4, 0.5), st.integers(0, 40))
@settings(deadline=None)
def test_an_e_value_has_a_mean_of_one_under_its_hypothesis(rate: float, trials: int) -> None:
    """The sum over all outcomes, by their exact chances at the highest rate that is allowed."""
    mean = sum(
        math.comb(trials, hits)
        * rate**hits
        * (1 - rate) ** (trials - hits)
        * e_value(hits, trials, rate)
        for hits in range(trials + 1)
    )
    assert math.isclose(mean, 1.0, rel_tol=1e-6)


@given(st.floats(1e-4, 0.5), st.integers(0, 2_000), st.integers(0, 2_000))
def test_more_hits_are_more_evidence(rate: float, hits: int, more: int) -> None:
    value = e_value(hits, hits + more, rate)
    assert value >= 0
    assert e_value(hits + 1, hits + 1 + more, rate) >= value
    assert e_value(hits, hits + 1 + more, rate) <= value
