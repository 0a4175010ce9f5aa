"""What one device is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skerry.sync.rollouts.cohorts import Device, expected, place, stage_of
from skerry.sync.rollouts.machine import step
from skerry.sync.rollouts.plan import SIGNALS, Mode, Stage, Version
from skerry.sync.rollouts.rollout import Halted, Observed, Paused
from skerry.sync.rollouts.states import RolloutState, TargetState
from skerry.sync.rollouts.targets import marks, state_of, told, tries
from tests.sync.rollouts.building import NEW, OLD, outcomes, plan, running

EVERYBODY = (Stage("all", 100.0),)
ANY = Device("d1", "phone", digest=OLD.digest)


def test_only_stages_that_have_begun() -> None:
    rollout = running()
    devices = [replace(ANY, id=f"d{i}") for i in range(300)]
    now = [one for one in devices if told((rollout,), one)]
    assert {one.id for one in now} == {one.id for one in devices if place("r1", one.id) < 0.1}
    later = replace(rollout, stage=1)
    assert all(told((later,), one) for one in devices)


def test_the_same_devices_come_first_with_the_same_salt_only() -> None:
    first = [i for i in range(500) if place("fixed", f"d{i}") < 0.1]
    assert first != [i for i in range(500) if place("other", f"d{i}") < 0.1]
    chosen = plan(salt="fixed")
    assert [i for i in range(500) if stage_of(chosen, Device(f"d{i}", ""), {}, None) == 0] == first


def test_stages_by_tag_and_by_profile() -> None:
    stages = (Stage("canary", tags=("canary",)), Stage("phones", profiles=("phone",)), Stage("all"))
    chosen = plan(stages=stages)
    assert stage_of(chosen, Device("a", "laptop", tags=frozenset({"canary"})), {}, None) == 0
    assert stage_of(chosen, Device("b", "phone"), {}, None) == 1
    assert stage_of(chosen, Device("c", "laptop"), {}, None) == 2
    only = plan(stages=stages[:1])
    assert stage_of(only, Device("b", "phone"), {}, None) is None


def test_enough_of_every_profile() -> None:
    devices = [Device(f"d{i}", "rare" if i % 100 == 0 else "phone") for i in range(10_000)]
    sizes = {"rare": 100, "phone": 9_900}
    chosen = plan(stages=(Stage("early", 1.0, at_least_per_profile=50), Stage("all")))
    early = [one for one in devices if stage_of(chosen, one, sizes, None) == 0]
    rare = sum(one.profile == "rare" for one in early)
    assert 35 <= rare <= 65
    assert 60 <= len(early) - rare <= 140
    assert sum(expected(chosen, devices, sizes)) == 10_000


def test_groups_tags_and_profiles_choose() -> None:
    chosen = plan(groups=("ward",), tags=("a", "b"), profiles=("phone",), stages=EVERYBODY)
    fits = Device("d", "phone", "ward", frozenset({"b", "c"}))
    rollout = running(groups=("ward",), tags=("a", "b"), profiles=("phone",), stages=EVERYBODY)
    assert stage_of(chosen, fits, {}, None) == 0
    assert state_of(rollout, fits) is TargetState.REGISTERED
    for other in (
        replace(fits, group="lab"),
        replace(fits, tags=frozenset({"c"})),
        replace(fits, profile="laptop"),
    ):
        assert stage_of(chosen, other, {}, None) is None
        assert state_of(rollout, other) is TargetState.UNKNOWN


def test_late_joiners_come_last() -> None:
    rollout = running(stages=EVERYBODY)
    late = replace(ANY, enrolled_at=5.0)
    assert told((rollout,), ANY)
    assert told((rollout,), late) is None
    done = step(rollout, Observed(20.0, {0: 90}, outcomes=outcomes(90)))
    assert done.state is RolloutState.FINISHED
    offer = told((done,), late)
    assert offer is not None
    assert offer.stage == 1


def test_who_has_it_is_told_nothing_and_goes_back_when_it_is_halted() -> None:
    rollout, has = running(stages=EVERYBODY), replace(ANY, digest=NEW.digest)
    assert told((rollout,), has) is None
    halted = step(rollout, Halted("bo"))
    back = told((halted,), has)
    assert back is not None
    assert (back.version, back.id) == (OLD, "r1:back")
    assert told((halted,), ANY) is None
    assert told((replace(halted, plan=plan(previous=None)),), has) is None


def test_a_halted_rollout_leaves_devices_to_the_one_before() -> None:
    older = running(stages=EVERYBODY)
    third = Version("t", "3", "3" * 64)
    newer = replace(older, plan=replace(older.plan, id="r2", version=third, previous=NEW))
    assert told((newer, older), ANY).version == third  # type: ignore[union-attr]
    halted = step(newer, Halted("bo"))
    assert told((halted, older), ANY).version == NEW  # type: ignore[union-attr]
    assert told((halted, older), replace(ANY, digest=NEW.digest)) is None


def test_nobody_goes_back_to_an_older_rollout() -> None:
    older = running(stages=EVERYBODY)
    third = Version("t", "3", "3" * 64)
    newer = replace(older, plan=replace(older.plan, id="r2", version=third))
    assert told((newer, older), replace(ANY, digest=third.digest)) is None


def test_a_paused_rollout_tells_nobody() -> None:
    assert told((step(running(stages=EVERYBODY), Paused("bo")),), ANY) is None


def test_who_failed_is_told_again_after_a_retry_only() -> None:
    offer = told((running(stages=EVERYBODY),), ANY)
    assert offer is not None
    assert not tries(TargetState.ERROR, 1, offer)
    assert tries(TargetState.ERROR, 1, replace(offer, attempt=2))
    assert tries(TargetState.PENDING, 1, offer)
    assert tries(TargetState.IN_SYNC, 1, offer)  # it was wiped since


def test_a_shadow_is_told_once_and_nobody_goes_back_from_it() -> None:
    rollout = running(stages=EVERYBODY, mode=Mode.SHADOW)
    offer = told((rollout,), ANY)
    assert offer is not None
    assert offer.mode is Mode.SHADOW
    assert not tries(TargetState.IN_SYNC, 1, offer)
    halted = step(rollout, Halted("bo"))
    assert told((halted,), replace(ANY, digest=NEW.digest)) is None


NUMBERS = {
    "worse": ("health_score", 0.9, 0.8, 1),
    "better": ("health_score", 0.8, 0.9, -1),
    "within the margin": ("health_score", 0.9, 0.89, 0),
    "slower": ("latency_ms_p50", 100.0, 111.0, 1),
    "a little slower": ("latency_ms_p50", 100.0, 109.0, 0),
    "faster": ("latency_ms_p50", 100.0, 80.0, -1),
    "no number": ("latency_ms_p50", 100.0, float("nan"), 0),
    "infinite": ("latency_ms_p50", float("inf"), float("inf"), 0),
}


@pytest.mark.parametrize(("name", "before", "now", "mark"), NUMBERS.values(), ids=NUMBERS)
def test_marks(name: str, before: float, now: float, mark: int) -> None:
    assert {one.name for one in SIGNALS} >= {name}
    numbers = {name: before, "unknown": 1.0}, {name: now, "unknown": 2.0}
    assert marks(plan(), *numbers) == {name: mark}
    assert marks(plan(), {}, {name: now}) == {}
