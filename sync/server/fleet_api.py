"""`/v1/keys`, `/v1/tokens`, `/v1/devices`, `/v1/audit`: what operators do with their fleet."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from skerry.sync.server.authority import Operator, needs, shown
from skerry.sync.server.errors import Refusal
from skerry.sync.server.roles import Right, Role, digest, made
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.records import Enrolled, Token

TOKEN_PREFIX = "skt-"  # noqa: S105
_DAY_S = 86_400

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Group = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$")]
Tags = Annotated[list[Name], Field(max_length=64)]
Limit = Annotated[int, Query(ge=1, le=1_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewKey(_Body):
    """`person` is whose the key is: two keys of one person are one approver."""

    person: Name
    role: Role = Role.VIEWER


class NewTokens(_Body):
    """Tokens that enrol one device each, on a channel, into a group, with tags."""

    channel: Name = "stable"
    group: Group = ""
    tags: Tags = []
    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    days: Annotated[float, Field(gt=0, le=365)] = 7.0


class DeviceChange(_Body):
    """What is given is set."""

    name: Name | None = None
    channel: Name | None = None
    group: Group | None = None
    tags: Tags | None = None


def routes(fleet: Fleet) -> APIRouter:
    router = APIRouter(prefix="/v1")
    for add in (_add_keys, _add_tokens, _add_devices, _add_audit):
        add(router, fleet)
    return router


def _add_keys(router: APIRouter, fleet: Fleet) -> None:
    see = Depends(needs(fleet, Right.SEE))
    administer = Depends(needs(fleet, Right.ADMINISTER))

    @router.get("/me", summary="Who the key is of")
    def me(who: Operator = see) -> dict[str, Any]:
        return {"tenant": who.tenant, "person": who.person, "role": who.role, "key": who.key_id}

    @router.get("/keys", summary="Operators' keys, also revoked ones")
    def keys(who: Operator = administer) -> dict[str, Any]:
        return {"keys": [shown(key) for key in fleet.people.keys(who.tenant)]}

    @router.post("/keys", summary="Make a key; it is in this answer, and nowhere else")
    def add_key(body: NewKey, who: Operator = administer) -> dict[str, Any]:
        key, kept = made(who.tenant, body.person, body.role, time.time())
        fleet.people.add_key(kept)
        who.did("key.add", kept.id, person=body.person, role=body.role)
        return {**shown(kept), "key": key}

    @router.delete("/keys/{key_id}", summary="Revoke a key")
    def revoke_key(key_id: str, who: Operator = administer) -> dict[str, Any]:
        if not fleet.people.revoke_key(key_id, time.time(), tenant=who.tenant):
            raise Refusal(404, "no_key", "there is no good key of that id")
        who.did("key.revoke", key_id)
        return {"id": key_id}


def _add_tokens(router: APIRouter, fleet: Fleet) -> None:
    operate = Depends(needs(fleet, Right.OPERATE))

    @router.get("/tokens", summary="Enrolment tokens; never themselves")
    def tokens(who: Operator = operate) -> dict[str, Any]:
        return {"tokens": [_shown_token(one) for one in fleet.devices.tokens(who.tenant)]}

    @router.post("/tokens", summary="Make enrolment tokens; they are in this answer alone")
    def add_tokens(body: NewTokens, who: Operator = operate) -> dict[str, Any]:
        now = time.time()
        pairs = [_token(who, body, now) for _ in range(body.count)]
        fleet.devices.add_tokens([kept for _, kept in pairs])
        who.did("tokens.add", body.channel, count=body.count, group=body.group, tags=body.tags)
        return {"tokens": [{**_shown_token(kept), "token": token} for token, kept in pairs]}

    @router.delete("/tokens/{token}", summary="Take back a token that was not used yet")
    def drop_token(token: str, who: Operator = operate) -> dict[str, Any]:
        if not fleet.devices.drop_token(who.tenant, token):
            raise Refusal(404, "no_token", "there is no unused token of that id")
        who.did("tokens.drop", token)
        return {"id": token}


def _add_devices(router: APIRouter, fleet: Fleet) -> None:
    see = Depends(needs(fleet, Right.SEE))
    operate = Depends(needs(fleet, Right.OPERATE))

    @router.get("/devices", summary="Devices, in the order of their ids")
    def devices(
        after: str = "", limit: Limit = 100, channel: str = "", group: str = "",
        who: Operator = see,
    ) -> dict[str, Any]:  # fmt: skip
        page = fleet.devices.page(who.tenant, after=after, most=limit, channel=channel, group=group)
        following = page[-1].id if len(page) == limit else None
        return {"devices": [_shown_device(one) for one in page], "after": following}

    @router.get("/devices/counts", summary="How many devices run which version")
    def counts(who: Operator = see) -> dict[str, Any]:
        rows = fleet.devices.counted(who.tenant)
        return {"counts": [
            {"channel": channel, "version": version, "devices": count}
            for channel, version, count in rows
        ]}  # fmt: skip

    @router.get("/devices/{device}", summary="One device, by its id or name")
    def device(device: str, who: Operator = see) -> dict[str, Any]:
        return _shown_device(_found(fleet, who, device))

    @router.patch("/devices/{device}", summary="Change name, channel, group or tags")
    def change(device: str, body: DeviceChange, who: Operator = operate) -> dict[str, Any]:
        wanted = body.model_dump(exclude_none=True)
        if "tags" in wanted:
            wanted["tags"] = frozenset(wanted["tags"])
        kept = _found(fleet, who, device)
        if not wanted:
            return _shown_device(kept)
        changed = fleet.devices.change(who.tenant, kept.id, wanted, time.time())
        if changed is None:
            raise Refusal(404, "no_device", "there is no such device")
        who.did("device.change", kept.id, **body.model_dump(exclude_none=True))
        return _shown_device(changed)

    @router.delete("/devices/{device}", summary="Revoke a device: its key is no good any more")
    def revoke(device: str, who: Operator = operate) -> dict[str, Any]:
        kept = _found(fleet, who, device)
        if not fleet.devices.revoke(who.tenant, kept.id, time.time()):
            raise Refusal(404, "no_device", "this device was revoked already")
        who.did("device.revoke", kept.id, name=kept.name)
        return {"id": kept.id}


def _add_audit(router: APIRouter, fleet: Fleet) -> None:
    see = Depends(needs(fleet, Right.SEE))

    @router.get("/audit", summary="What operators and the server did, the newest first")
    def audit(
        subject: str = "", before: float | None = None, limit: Limit = 100, who: Operator = see
    ) -> dict[str, Any]:
        deeds = fleet.people.deeds(who.tenant, subject=subject, before=before, most=limit)
        return {"deeds": [
            {**asdict(one), "detail": dict(one.detail)} for one in deeds
        ]}  # fmt: skip


def _found(fleet: Fleet, who: Operator, device: str) -> Enrolled:
    found = fleet.devices.get(who.tenant, device) or fleet.devices.named(who.tenant, device)
    if found is None:
        raise Refusal(404, "no_device", "there is no such device")
    return found


def _token(who: Operator, body: NewTokens, now: float) -> tuple[str, Token]:
    token = TOKEN_PREFIX + secrets.token_urlsafe(24)
    return token, Token(
        secrets.token_hex(6), who.tenant, digest(token), body.channel, body.group,
        frozenset(body.tags), who.person, now, now + body.days * _DAY_S,
    )  # fmt: skip


def _shown_token(one: Token) -> dict[str, Any]:
    fields = asdict(one)
    del fields["digest"]
    return {**fields, "tags": sorted(one.tags)}


def _shown_device(one: Enrolled) -> dict[str, Any]:
    return {**asdict(one), "tags": sorted(one.tags)}
