"""`POST /v1/ddi/tokens`: operators let devices poll by the DDI."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from skerry.sync.hawkbit.callers import made, new_device
from skerry.sync.server.authority import Operator, needs
from skerry.sync.server.errors import Refusal
from skerry.sync.server.fleet_api import Group, Name, Tags
from skerry.sync.server.roles import Right
from skerry.sync.server.state import Fleet


class NewDdiToken(BaseModel):
    """With `device`, a TargetToken of that device, which is enrolled where there is none; without,
    a GatewayToken: whoever has it enrols devices, so it takes an admin to make one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    device: Name | None = None
    profile: Group = ""
    channel: Name = "stable"
    group: Group = ""
    tags: Tags = []


def routes(fleet: Fleet) -> APIRouter:
    router = APIRouter(prefix="/v1/ddi")

    @router.post("/tokens", summary="Make a token for hawkBit's DDI; it is in this answer alone")
    def add(
        body: NewDdiToken,
        who: Operator = Depends(needs(fleet, Right.OPERATE)),  # noqa: B008
    ) -> dict[str, Any]:
        now, device = time.time(), ""
        if body.device is None:
            if not who.role.may(Right.ADMINISTER):
                raise Refusal(403, "wrong_role", "a gateway's token is made by an admin")
        else:
            kept = fleet.devices.add(
                new_device(
                    who.tenant, body.device, now, channel=body.channel, group=body.group,
                    profile=body.profile, tags=frozenset(body.tags),
                ),
                now,
            )  # fmt: skip
            if kept.public_key:
                raise Refusal(409, "signs", "this device signs its requests, and needs no token")
            device = kept.id
        token, one = made(who.tenant, device, now, channel=body.channel, group=body.group)
        fleet.ddi.add_token(one)
        who.did("ddi.token", device or "gateway")
        return {"token": token, "device": device or None, "kind": "Target" if device else "Gateway"}

    return router
