"""`/admin/keys`: an admin makes, lists and revokes keys from elsewhere, as `skerry cloud keys` does
where the file is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import FastAPI, Request

from skerry.cloud.gateway.config import Gateway, Role
from skerry.cloud.gateway.errors import Refusal, bad
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keeping import Keeper
from skerry.cloud.gateway.keys import made
from skerry.cloud.gateway.requests import Json, asked_by, small_body
from skerry.cloud.gateway.state import State
from skerry.cloud.gateway.state.base import Key


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /admin/keys`."""

    tenant: str
    role: Role = Role.USER


@dataclass(frozen=True, slots=True)
class AdminKeys:
    config: Gateway
    gate: Gate
    state: State
    keeper: Keeper

    def add_to(self, app: FastAPI) -> None:
        app.add_api_route("/admin/keys", self.listed, methods=["GET"])
        app.add_api_route("/admin/keys", self.add, methods=["POST"])
        app.add_api_route("/admin/keys/{key_id}", self.revoke, methods=["DELETE"])

    async def listed(self, request: Request) -> Json:
        with asked_by(self.gate, request, Role.ADMIN):
            kept = await asyncio.to_thread(self.state.keys)
            return Json({"object": "list", "data": [_shown(key) for key in kept]})

    async def add(self, request: Request) -> Json:
        """The key is in this answer, and nowhere else."""
        with asked_by(self.gate, request, Role.ADMIN):
            wanted = await small_body(request, Wanted, '{"tenant": NAME, "role": ROLE}')
            if wanted.tenant not in self.config.tenants:
                raise bad("there is no tenant of that name", "tenant")
            key, kept = made(wanted.tenant, wanted.role)
            await asyncio.to_thread(self.state.add_key, kept)
            await self.keeper.step()
            return Json({**_shown(kept), "key": key})

    async def revoke(self, request: Request, key_id: str) -> Json:
        with asked_by(self.gate, request, Role.ADMIN):
            if not await asyncio.to_thread(self.state.revoke_key, key_id, time.time()):
                what = "no good key has that id; keys of the file are revoked in the file"
                raise Refusal(404, "key_not_found", what)
            await self.keeper.step()
            return Json({"id": key_id, "revoked": True})


def _shown(key: Key) -> dict[str, Any]:
    """Without its digest."""
    return {
        "id": key.id,
        "tenant": key.tenant,
        "role": key.role,
        "made_at": key.made_at,
        "revoked_at": key.revoked_at,
    }
