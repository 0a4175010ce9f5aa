"""What every state must do, on SQLite and on PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from skerry.sync.offers import Report, Stage
from skerry.sync.rollouts.machine import ready_at_once, step
from skerry.sync.rollouts.rollout import Observed, Rollout, Sized, Started
from skerry.sync.rollouts.states import RolloutState, TargetState
from skerry.sync.rollouts.targets import Told
from skerry.sync.server.errors import FleetStateError, Refusal
from skerry.sync.server.folding import Folder
from skerry.sync.server.roles import Role, made
from skerry.sync.server.state import Fleet, opened
from skerry.sync.server.state.records import Enrolled, Seen, Token
from skerry.sync.server.state.targets import Saying, Telling
from tests.sync.rollouts.building import NEW, plan

NOBODY: frozenset[str] = frozenset()


def _device(fleet: Fleet, name: str, *, tenant: str = "clinic", now: float = 1.0) -> Enrolled:
    token = Token(
        f"t-{tenant}-{name}", tenant, f"{tenant}-{name}", "stable", "", NOBODY, "ada", 0, 99
    )
    fleet.devices.add_tokens([token])
    wanted = Enrolled(f"{tenant}-{name}", "", name, f"{name:>064}", "phone", "", "", NOBODY, now)
    device = fleet.devices.enrol(token.digest, wanted, now)
    assert device is not None
    return device


def _rollout(fleet: Fleet, *, tenant: str = "clinic", size: int = 3) -> Rollout:
    fleet.rollouts.add(tenant, ready_at_once(Rollout(plan(), "ada")), 5.0)

    def start(current: Rollout, seen: list[Observed]) -> Rollout:
        sized = Sized(2.0, {"phone": size}, (size, 0))
        return step(step(current, Started("ada")), sized)

    kept = fleet.rollouts.change(tenant, "r1", start)
    assert kept is not None
    return kept.rollout


def _told(device: Enrolled, attempt: int = 1) -> Telling:
    return Telling(device.id, Told(f"r1:{attempt}", "r1", NEW, 0, stage=0, attempt=attempt))


def _said(device: Enrolled, stage: Stage) -> Saying:
    report = Report(offer="r1:1", digest=NEW.digest, stage=stage)
    return Saying(device.id, device.profile, plan(), report)


def test_keys(fleet: Fleet) -> None:
    key, kept = made("clinic", "ada", Role.ADMIN, 1.0)
    fleet.people.add_key(kept)
    assert key not in str(kept)
    assert fleet.people.key_of(kept.digest) == kept
    assert fleet.people.keys("other") == []
    assert not fleet.people.revoke_key(kept.id, 2.0, tenant="other")
    assert fleet.people.revoke_key(kept.id, 2.0, tenant="clinic")
    assert not fleet.people.revoke_key(kept.id, 3.0)
    assert fleet.people.key_of(kept.digest) is None
    assert fleet.people.keys("clinic") == [replace(kept, revoked_at=2.0)]


def test_a_token_enrols_once_also_when_many_try(fleet: Fleet) -> None:
    fleet.devices.add_tokens([Token("t", "clinic", "d", "stable", "", NOBODY, "ada", 0, 99)])

    def enrol(number: int) -> Enrolled | None:
        wanted = Enrolled(f"d{number}", "", f"n{number}", f"{number:064}", "", "", "", NOBODY, 1.0)
        return fleet.devices.enrol("d", wanted, 1.0)

    with ThreadPoolExecutor(4) as threads:
        found = [one for one in threads.map(enrol, range(12)) if one is not None]
    assert len(found) == 1
    assert len(fleet.devices.page("clinic")) == 1


def test_older_facts_do_not_take_the_place_of_newer_ones(fleet: Fleet) -> None:
    device = _device(fleet, "a")
    newer = Seen(device.id, 20.0, 20, "phone", "2" * 64, "2", 5)
    fleet.devices.seen([newer])
    fleet.devices.seen([replace(newer, signed_at=10, digest="1" * 64)])
    kept = fleet.devices.get("clinic", device.id)
    assert kept is not None
    assert (kept.digest, kept.signed_at) == ("2" * 64, 20)


def test_pages_and_names(fleet: Fleet) -> None:
    devices = [_device(fleet, f"d{i}") for i in range(5)]
    _device(fleet, "d0", tenant="other")
    first = fleet.devices.page("clinic", most=3)
    rest = fleet.devices.page("clinic", after=first[-1].id, most=3)
    assert [one.id for one in (*first, *rest)] == sorted(one.id for one in devices)
    assert fleet.devices.page("clinic", channel="beta") == []
    fleet.devices.add_tokens([Token("x", "clinic", "x", "stable", "", NOBODY, "ada", 0, 99)])
    same = replace(devices[0], id="again", public_key="9" * 64)
    with pytest.raises(Refusal, match="already"):
        fleet.devices.enrol("x", same, 1.0)
    assert [one.used_at for one in fleet.devices.tokens("clinic") if one.id == "x"] == [None]


def test_names_are_data(fleet: Fleet) -> None:
    evil = "x'; DROP TABLE devices; --"
    assert fleet.devices.page(evil, after=evil, channel=evil, group=evil) == []
    assert fleet.devices.get(evil, evil) is None
    assert fleet.rollouts.get(evil, evil) is None
    assert fleet.people.deeds(evil, subject=evil) == []
    assert fleet.devices.page("clinic") == []


def test_a_rollout_is_what_it_was(fleet: Fleet) -> None:
    rollout = _rollout(fleet)
    kept = fleet.rollouts.get("clinic", "r1")
    assert kept is not None
    assert kept.rollout == rollout
    assert fleet.rollouts.get("other", "r1") is None
    assert fleet.rollouts.change("other", "r1", lambda one, _: one) is None


def test_what_a_change_raises_changes_nothing(fleet: Fleet) -> None:
    device, _ = _device(fleet, "a"), _rollout(fleet)
    fleet.targets.tell([_told(device)], 3.0)
    before = fleet.rollouts.get("clinic", "r1")

    def fail(_: Rollout, seen: list[Observed]) -> Rollout:
        assert seen
        raise RuntimeError("mid-way")

    with pytest.raises(RuntimeError):
        fleet.rollouts.change("clinic", "r1", fail)
    assert fleet.rollouts.get("clinic", "r1") == before
    Folder(fleet, clock=lambda: 4.0).fold()
    kept = fleet.rollouts.get("clinic", "r1")
    assert kept is not None
    assert kept.rollout.offered == 1  # what happened is still there, once


def test_a_device_is_told_and_settles_once_however_often_it_says_so(fleet: Fleet) -> None:
    device, _ = _device(fleet, "a"), _rollout(fleet)
    assert fleet.targets.tell([_told(device)] * 3, 3.0) == [(TargetState.PENDING, 1)] * 3
    for stage in (Stage.DOWNLOADING, Stage.CONFIRMED, Stage.CONFIRMED, Stage.FAILED):
        fleet.targets.say([_said(device, stage)] * 2, 4.0)
    Folder(fleet, clock=lambda: 5.0).fold()
    kept = fleet.rollouts.get("clinic", "r1")
    assert kept is not None
    counts = kept.rollout.counts[0]
    assert (counts.offered, counts.succeeded, counts.failed) == (1, 1, 0)


def test_many_processes_count_each_device_once(place: str) -> None:
    fleets = [opened(place) for _ in range(3)]
    devices = [_device(fleets[0], f"d{i}") for i in range(30)]
    _rollout(fleets[0], size=30)

    def work(number: int) -> None:
        mine = fleets[number % 3]
        mine.targets.tell([_told(one) for one in devices], 3.0)
        mine.targets.say([_said(one, Stage.CONFIRMED) for one in devices], 4.0)
        Folder(mine, clock=lambda: 5.0).fold()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(work, range(6)))
    Folder(fleets[0], clock=lambda: 5.0).fold()
    kept = fleets[0].rollouts.get("clinic", "r1")
    assert kept is not None
    assert (kept.rollout.counts[0].offered, kept.rollout.counts[0].succeeded) == (30, 30)
    for one in fleets:
        one.close()


def test_a_retry_is_told_again_and_counted_apart(fleet: Fleet) -> None:
    device, _ = _device(fleet, "a"), _rollout(fleet)
    fleet.targets.tell([_told(device)], 3.0)
    fleet.targets.say([_said(device, Stage.FAILED)], 4.0)
    assert fleet.targets.tell([_told(device)], 5.0) == [(TargetState.ERROR, 1)]
    assert fleet.targets.tell([_told(device, 2)], 6.0) == [(TargetState.PENDING, 2)]
    fleet.targets.say([_said(device, Stage.CONFIRMED)], 7.0)
    (target,) = fleet.targets.of("r1")
    assert (target.state, target.attempt) == (TargetState.IN_SYNC, 2)
    kept = fleet.rollouts.change("clinic", "r1", _all_counted)
    assert kept is not None
    assert kept.rollout.why == "again: True"


def _all_counted(current: Rollout, seen: list[Observed]) -> Rollout:
    last = [outcome for one in seen for outcome in one.outcomes if outcome.succeeded]
    return replace(current, why=f"again: {last[0].again}")


def test_one_of_a_channel_at_a_time(fleet: Fleet) -> None:
    _rollout(fleet)
    second = ready_at_once(Rollout(replace(plan(), id="r2"), "ada"))
    fleet.rollouts.add("clinic", second, 6.0)
    with pytest.raises(Refusal, match="under way"):
        fleet.rollouts.change("clinic", "r2", lambda one, _: step(one, Started("ada")))
    kept = fleet.rollouts.get("clinic", "r2")
    assert kept is not None
    assert kept.rollout.state is RolloutState.READY


def test_closed_twice(fleet: Fleet) -> None:
    fleet.close()
    fleet.close()
    with pytest.raises(FleetStateError):
        fleet.people.keys()


def test_places_that_are_none(tmp_path: object) -> None:
    with pytest.raises(FleetStateError, match="cannot be used"):
        opened(f"{tmp_path}/no/such/folder/fleet.db")
    (file := tmp_path / "text").write_text("not a database" * 100)  # type: ignore[operator]
    with pytest.raises(FleetStateError, match="cannot be used"):
        opened(str(file))


def test_a_server_that_is_not_there_is_an_error_without_its_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(FleetStateError, match="cannot be used") as error:
        opened("postgresql://skerry:secret@127.0.0.1:1/x")
    assert "secret" not in str(error.value) + error.value.hint


def test_a_connection_that_was_lost_is_made_again(place: str, fleet: Fleet) -> None:
    if not place.startswith("postgresql"):
        pytest.skip("a file has no connection")
    import psycopg

    with psycopg.connect(place, autocommit=True) as link:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        link.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    with pytest.raises(FleetStateError):
        fleet.people.keys()
    assert fleet.people.keys() == []
