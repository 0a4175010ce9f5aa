"""A simulated fleet: a bad version is halted early, and a good one is not."""

from __future__ import annotations

import random

import pytest

from skerry.sync.rollouts.evidence import e_value
from skerry.sync.rollouts.plan import Limits, Plan, Stage
from skerry.sync.rollouts.simulate import PROFILES, Bundle, World, fleet, simulate
from skerry.sync.rollouts.states import RolloutState
from tests.sync.rollouts.building import NEW, OLD

QUICK = World(poll_s=600, download_s=60, away=0.1, away_s=600, most_s=43_200)
SHORT = Limits(soak_s=600, patience_s=7_200)


def _plan(seed: int, **given: object) -> Plan:
    return Plan(f"r{seed}", "stable", NEW, OLD, limits=SHORT, probation_s=300, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_a_version_that_breaks_a_class_is_halted_and_the_rest_never_took_it(seed: int) -> None:
    devices = fleet(60_000)
    bad = Bundle(breaks={"workstation": 0.03})
    result = simulate(_plan(seed), devices, bad, seed=seed, world=QUICK)
    assert result.rollout.state is RolloutState.STOPPED
    assert "failures on workstation" in result.rollout.why
    assert result.told < 0.10 * len(devices)
    assert result.took <= result.told


def test_a_slower_version_is_halted_by_its_signals() -> None:
    slow = Bundle(shift={"latency_ms_p50": 1.5})
    result = simulate(_plan(1), fleet(20_000), slow, seed=1, world=QUICK)
    assert result.rollout.state is RolloutState.STOPPED
    assert "latency_ms_p50" in result.rollout.why


def test_a_good_version_reaches_everybody() -> None:
    devices = fleet(5_000)
    result = simulate(_plan(2), devices, Bundle(), seed=2, world=QUICK)
    assert result.rollout.state is RolloutState.FINISHED
    assert result.told > 0.8 * len(devices)


def test_good_versions_are_not_halted_over_many_seeds() -> None:
    """At the very rate that is allowed, and in small fleets, where chance weighs most."""
    devices = fleet(400)
    stages = (Stage("canary", 10), Stage("all", 100))
    at_most = Bundle(failure_rate=SHORT.failure_rate)
    halted = sum(
        simulate(_plan(seed, stages=stages), devices, at_most, seed=seed, world=QUICK).rollout.state
        is RolloutState.STOPPED
        for seed in range(40)
    )
    assert halted == 0  # 40 x .001 at most


def test_looking_after_every_device_keeps_the_chance_of_a_false_alarm() -> None:
    """Ville's inequality, tried: 1,000 runs of 300 devices at the allowed rate; a limit of 20 is
    ever reached by one run in twenty at most (three standard deviations above are let pass)."""
    draw, crossed = random.Random(7), 0
    for _ in range(1_000):
        hits = 0
        for trial in range(1, 301):
            hits += draw.random() < 0.02
            if e_value(hits, trial, 0.02) >= 20:
                crossed += 1
                break
    assert crossed <= 1_000 * 0.05 + 3 * (1_000 * 0.05 * 0.95) ** 0.5


def test_the_same_seed_is_the_same_run() -> None:
    devices = fleet(2_000)
    first, second = (simulate(_plan(3), devices, Bundle(), seed=3, world=QUICK) for _ in range(2))
    assert first == second


def test_shares_of_profiles() -> None:
    devices = fleet(10_000)
    for name, share in PROFILES.items():
        assert sum(one.profile == name for one in devices) == pytest.approx(share * 10_000)
