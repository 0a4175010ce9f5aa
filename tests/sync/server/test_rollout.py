"""Whole rollouts over HTTP: from a plan to devices that have it, or that went back."""

from __future__ import annotations

import pytest

from skerry.sync.offers import Stage
from skerry.sync.server.roles import Role
from tests.sync.server.asking import NEW, OLD, World


def test_from_plan_to_everybody(world: World) -> None:
    devices = [world.device(f"d{i}") for i in range(5)]
    ops, approver = world.operator(), world.operator(Role.APPROVER, person="bo")
    one = ops.plan(gates=["deltas", "evaluation"], approvals=1)
    assert one["state"] == "CREATING"
    ops.ask("POST", f"rollouts/{one['id']}/start", status=409)
    for gate in ("deltas", "evaluation"):
        one = ops.ask("POST", f"rollouts/{one['id']}/gates/{gate}", {"passed": True})
    assert one["state"] == "WAITING_FOR_APPROVAL"
    ops.ask("POST", f"rollouts/{one['id']}/approve", status=403)
    assert approver.ask("POST", f"rollouts/{one['id']}/approve")["state"] == "READY"
    assert [device.checkin() for device in devices] == [None] * 5
    ops.ask("POST", f"rollouts/{one['id']}/start")
    offers = [world.until(device.checkin) for device in devices]
    assert {offer["digest"] for offer in offers} == {NEW}
    for device, offer in zip(devices, offers, strict=True):
        for stage in (Stage.DOWNLOADING, Stage.INSTALLED, Stage.CONFIRMED):
            device.report(offer, stage)
    world.until(lambda: _state(world, one["id"]) == "FINISHED")
    assert [device.checkin() for device in devices] == [None] * 5
    shown = ops.ask("GET", f"rollouts/{one['id']}")
    assert (shown["offered"], shown["succeeded"], shown["failed"]) == (5, 5, 0)
    actions = {deed["action"] for deed in ops.ask("GET", f"audit?subject={one['id']}")["deeds"]}
    assert actions >= {"rollout.plan", "rollout.approve", "rollout.start", "rollout.finished"}


def test_failures_halt_it_and_devices_go_back(world: World) -> None:
    devices = [world.device(f"d{i}") for i in range(8)]
    one = world.operator().started()
    offers = [world.until(device.checkin) for device in devices]
    devices[0].report(offers[0], Stage.CONFIRMED)
    for device, offer in zip(devices[1:7], offers[1:7], strict=True):
        device.report(offer, Stage.ROLLED_BACK)
    world.until(lambda: _state(world, one) == "STOPPED")
    assert "failures on phone" in world.operator().ask("GET", f"rollouts/{one}")["why"]
    back = world.until(devices[0].checkin)
    assert (back["digest"], back["id"]) == (OLD, f"{one}:back")
    devices[0].report(back, Stage.CONFIRMED)
    assert [device.checkin() for device in devices] == [None] * 8
    deeds = world.operator().ask("GET", f"audit?subject={one}")["deeds"]
    assert any(d["action"] == "rollout.stopped" and d["who"] == "server" for d in deeds)


def test_who_failed_is_asked_again_after_a_retry_and_counts_once(world: World) -> None:
    first, second = world.device("a"), world.device("b")
    limits = {"failure_rate": 0.4, "soak_s": 0, "patience_s": 60}
    one = world.operator().started(limits=limits)
    offers = [world.until(device.checkin) for device in (first, second)]
    first.report(offers[0], Stage.FAILED)
    first.report(offers[0], Stage.FAILED)
    first.report(offers[0], Stage.CONFIRMED)  # too late: it failed
    first.digest = OLD
    assert first.checkin() is None
    world.operator().ask("POST", f"rollouts/{one}/retry")
    again = world.until(first.checkin)
    assert again["id"] == f"{one}:2"
    first.report(again, Stage.CONFIRMED)
    second.report(offers[1], Stage.CONFIRMED)
    world.until(lambda: _state(world, one) == "FINISHED")
    shown = world.operator().ask("GET", f"rollouts/{one}")
    assert (shown["offered"], shown["succeeded"], shown["failed"]) == (2, 2, 0)


def test_signals_are_compared_with_the_same_device_before(world: World) -> None:
    devices = [world.device(f"d{i}") for i in range(14)]
    ops = world.operator()
    first = ops.started(version={"target": "t", "version": "1", "digest": OLD}, previous=None)
    for device in devices:
        device.digest = ""
        offer = world.until(device.checkin)
        device.report(offer, Stage.CONFIRMED, latency_ms_p50=100.0)
    world.until(lambda: _state(world, first) == "FINISHED")
    second = ops.started(previous=None)
    assert ops.ask("GET", f"rollouts/{second}")["plan"]["previous"]["digest"] == OLD
    for device in devices:
        device.report(world.until(device.checkin), Stage.CONFIRMED, latency_ms_p50=150.0)
    world.until(lambda: ops.ask("GET", f"rollouts/{second}")["evidence"]["highest"] > 20)
    strongest = ops.ask("GET", f"rollouts/{second}")["evidence"]["of"][0]
    assert (strongest["test"], strongest["profile"]) == ("latency_ms_p50", "phone")


def test_paused_and_resumed(world: World) -> None:
    device, one = world.device("a"), world.operator().started()
    world.until(device.checkin)
    world.operator().ask("POST", f"rollouts/{one}/pause")
    assert world.until(lambda: device.checkin() is None)
    world.operator().ask("POST", f"rollouts/{one}/resume")
    assert world.until(device.checkin)


def test_one_rollout_of_a_channel_at_a_time(world: World) -> None:
    ops = world.operator()
    world.device("a")
    ops.started()
    other = ops.plan()["id"]
    answer = ops.ask("POST", f"rollouts/{other}/start", status=409)
    assert answer["error"]["code"] == "channel_busy"
    assert ops.ask("GET", f"rollouts/{other}")["state"] == "READY"
    ops.started(channel="beta")


def test_late_joiners_wait_for_the_others(world: World) -> None:
    first, one = world.device("a"), world.operator().started()
    offer = world.until(first.checkin)
    late = world.device("late")
    assert late.checkin() is None
    first.report(offer, Stage.CONFIRMED)
    world.until(lambda: _state(world, one) == "FINISHED")
    assert world.until(late.checkin)["digest"] == NEW
    stages = world.operator().ask("GET", f"rollouts/{one}")["stages"]
    assert stages[-1]["name"] == "late joiners"


def test_a_shadow_is_marked_and_asked_once(world: World) -> None:
    device = world.device("a")
    world.operator().started(mode="shadow")
    offer = world.until(device.checkin)
    assert offer["mode"] == "shadow"
    device.report(offer, Stage.CONFIRMED, agreement=0.97)
    device.digest = OLD  # it keeps what it has
    assert device.checkin() is None


def test_tags_groups_and_channels_choose(world: World) -> None:
    ops = world.operator()
    canary = world.device("a", tags=["canary"], group="ward")
    plain = world.device("b", group="ward")
    other = world.device("c", channel="beta", tags=["canary"], group="ward")
    stages = [{"name": "canary", "tags": ["canary"]}, {"name": "all"}]
    ops.started(stages=stages, groups=["ward"], limits={"soak_s": 60, "patience_s": 60})
    assert world.until(canary.checkin)
    assert plain.checkin() is None
    assert other.checkin() is None
    ops.ask("PATCH", f"devices/{plain.id}", {"tags": ["canary"]})
    assert world.until(plain.checkin)


BAD = {
    "no digest": {"version": {"target": "t", "version": "2", "digest": "x"}},
    "unknown field": {"verison": 1},
    "too many stages": {"stages": [{"name": f"s{i}"} for i in range(40)]},
    "no stage": {"stages": []},
    "percent": {"stages": [{"name": "a", "percent": 200}]},
    "limits": {"limits": {"failure_rate": 2}},
    "id": {"id": "a:b"},
}


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_plans_that_are_none(world: World, given: dict[str, object]) -> None:
    headers = {"authorization": f"Bearer {world.operator().key}"}
    body = {"version": {"target": "t", "version": "2", "digest": NEW}, **given}
    answer = world.client.post("/v1/rollouts", json=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]["what"]
    assert world.operator().ask("GET", "rollouts")["rollouts"] == []


def _state(world: World, rollout: str) -> str:
    state: str = world.operator().ask("GET", f"rollouts/{rollout}")["state"]
    return state
