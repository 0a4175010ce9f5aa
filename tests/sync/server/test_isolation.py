"""One tenant tries to reach what is another's, and a role what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.sync.offers import Stage
from skerry.sync.server.roles import Role
from tests.sync.server.asking import FREE, NEW, VERSION, World

CROSSINGS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "devices/{device}", None),
    ("GET", "devices/theirs", None),
    ("PATCH", "devices/{device}", {"tags": ["canary"]}),
    ("PATCH", "devices/{device}", {"channel": "mine"}),
    ("DELETE", "devices/{device}", None),
    ("GET", "rollouts/{rollout}", None),
    ("GET", "rollouts/{rollout}/targets", None),
    ("POST", "rollouts/{rollout}/approve", None),
    ("POST", "rollouts/{rollout}/deny", {}),
    ("POST", "rollouts/{rollout}/start", None),
    ("POST", "rollouts/{rollout}/pause", None),
    ("POST", "rollouts/{rollout}/resume", None),
    ("POST", "rollouts/{rollout}/halt", {}),
    ("POST", "rollouts/{rollout}/retry", None),
    ("POST", "rollouts/{rollout}/check", None),
    ("POST", "rollouts/{rollout}/gates/deltas", {"passed": True}),
    ("DELETE", "keys/{key}", None),
    ("DELETE", "tokens/{token}", None),
)


def test_nothing_of_another_tenant_is_there(world: World) -> None:
    theirs = world.device("theirs", tenant="theirs")
    owner = world.operator(Role.ADMIN, tenant="theirs")
    rollout = owner.started()
    owner.ask("POST", "tokens", {})
    names = {
        "device": theirs.id,
        "rollout": rollout,
        "key": owner.ask("GET", "me")["key"],
        "token": owner.ask("GET", "tokens")["tokens"][-1]["id"],
    }
    before = (owner.ask("GET", f"devices/{theirs.id}"), owner.ask("GET", "keys"))
    mine = world.operator(Role.ADMIN, person="eve", tenant="mine")
    for method, path, body in CROSSINGS:
        mine.ask(method, path.format(**names), body, status=404)
    for path, key in (("devices", "devices"), ("rollouts", "rollouts"), ("tokens", "tokens")):
        assert mine.ask("GET", path)[key] == []
    assert [key["tenant"] for key in mine.ask("GET", "keys")["keys"]] == ["mine"]
    assert mine.ask("GET", "devices/counts")["counts"] == []
    assert mine.ask("GET", "audit")["deeds"] == []
    assert owner.ask("GET", f"devices/{theirs.id}")["tags"] == before[0]["tags"]
    assert owner.ask("GET", "keys") == before[1]
    assert owner.ask("GET", f"rollouts/{rollout}")["state"] in ("STARTING", "RUNNING")


def test_a_device_is_told_only_of_its_tenants_rollouts(world: World) -> None:
    device, theirs = world.device("a", tenant="mine"), world.device("a", tenant="theirs")
    rollout = world.operator(tenant="theirs").started()
    offer = world.until(theirs.checkin)
    assert device.checkin() is None
    device.report(offer, Stage.CONFIRMED, status=404)
    shown = world.operator(tenant="theirs").ask("GET", f"rollouts/{rollout}")
    assert shown["succeeded"] == 0


def test_a_rollout_of_the_same_id_cannot_take_anothers_place(world: World) -> None:
    world.operator(tenant="theirs").plan(id="one")
    world.operator(tenant="mine").plan(id="one", status=409)


def test_a_previous_version_is_never_that_of_another_tenant(world: World) -> None:
    device = world.device("a", tenant="theirs")
    rollout = world.operator(tenant="theirs").started()
    device.report(world.until(device.checkin), Stage.CONFIRMED)
    theirs = world.operator(tenant="theirs")
    world.until(lambda: theirs.ask("GET", f"rollouts/{rollout}")["state"] == "FINISHED")
    fresh = {"target": "t", "version": "3", "digest": "3" * 64}
    assert theirs.plan(version=fresh, previous=None)["plan"]["previous"]["digest"] == NEW
    mine = world.operator(tenant="mine")
    assert mine.plan(version=fresh, previous=None)["plan"]["previous"] is None


PLAN = {"version": VERSION, **FREE}
RIGHTS: tuple[tuple[str, str, Any, set[Role]], ...] = (
    ("GET", "devices", None, set(Role)),
    ("GET", "rollouts", None, set(Role)),
    ("GET", "audit", None, set(Role)),
    ("POST", "tokens", {}, {Role.OPERATOR, Role.ADMIN}),
    ("GET", "tokens", None, {Role.OPERATOR, Role.ADMIN}),
    ("POST", "rollouts", PLAN, {Role.OPERATOR, Role.ADMIN}),
    ("POST", "rollouts/none/start", None, {Role.OPERATOR, Role.ADMIN}),
    ("POST", "rollouts/none/approve", None, {Role.APPROVER, Role.ADMIN}),
    ("POST", "rollouts/none/deny", {}, {Role.APPROVER, Role.ADMIN}),
    ("POST", "rollouts/none/halt", {}, {Role.OPERATOR, Role.APPROVER, Role.ADMIN}),
    ("DELETE", "devices/none", None, {Role.OPERATOR, Role.ADMIN}),
    ("GET", "keys", None, {Role.ADMIN}),
    ("POST", "keys", {"person": "x"}, {Role.ADMIN}),
    ("DELETE", "keys/none", None, {Role.ADMIN}),
)


@pytest.mark.parametrize("role", Role)
def test_what_a_role_may(world: World, role: Role) -> None:
    who = world.operator(role)
    headers = {"authorization": f"Bearer {who.key}"}
    for method, path, body, may in RIGHTS:
        answer = world.client.request(method, f"/v1/{path}", json=body, headers=headers)
        assert (answer.status_code != 403) == (role in may), (method, path, answer.text)


def test_nobody_approves_a_rollout_of_their_own_with_another_key(world: World) -> None:
    one = world.operator().plan(approvals=1)["id"]
    same = world.operator(Role.APPROVER, person="ada")
    answer = same.ask("POST", f"rollouts/{one}/approve", status=409)
    assert "author" in answer["error"]["what"]
    admin = world.operator(Role.ADMIN, person="ada")
    admin.ask("POST", f"rollouts/{one}/approve", status=409)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer \x7f"])
def test_without_a_good_key(world: World, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = world.client.get("/v1/devices", headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in ("missing_key", "invalid_key")


def test_a_revoked_key_is_no_good_at_once(world: World) -> None:
    admin = world.operator(Role.ADMIN)
    made = admin.ask("POST", "keys", {"person": "bo", "role": "viewer"})
    headers = {"authorization": f"Bearer {made['key']}"}
    assert world.client.get("/v1/devices", headers=headers).status_code == 200
    admin.ask("DELETE", f"keys/{made['id']}")
    assert world.client.get("/v1/devices", headers=headers).status_code == 401
    admin.ask("DELETE", f"keys/{made['id']}", status=404)
    assert made["key"] not in str(admin.ask("GET", "audit"))
