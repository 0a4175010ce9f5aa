"""Who polls: by the TargetToken of a device, or the GatewayToken of a tenant."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request

from skerry.sync.server.errors import Refusal
from skerry.sync.server.roles import digest
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.ddi import DdiToken
from skerry.sync.server.state.records import Enrolled

PREFIX = "skd-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO = "this token is not good for this controller"


def made(
    tenant: str, device: str, now: float, *, channel: str = "stable", group: str = ""
) -> tuple[str, DdiToken]:
    """A new token, and what is kept of it; without a device, a gateway's."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, DdiToken(digest(token), tenant, device, channel, group, now)


def new_device(
    tenant: str, name: str, now: float, *, channel: str, group: str, profile: str = "",
    tags: frozenset[str] = frozenset(),
) -> Enrolled:  # fmt: skip
    """A device without a key of its own: it can poll by the DDI only."""
    return Enrolled(secrets.token_hex(12), tenant, name, "", profile, channel, group, tags, now)


class Callers:
    def __init__(self, fleet: Fleet, *, clock: Callable[[], float] = time.time) -> None:
        self._fleet, self._clock = fleet, clock

    def device(self, request: Request) -> Enrolled:
        """In a thread. With a gateway's token, a controller that nobody knows is enrolled.

        Raises:
            Refusal: 401, 403: the token is not good, or the device was revoked.
        """
        tenant, name = request.path_params["tenant"], request.path_params["controller"]
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme not in ("TargetToken", "GatewayToken") or not given.strip():
            raise Refusal(401, "missing_token", "send a TargetToken or a GatewayToken")
        token = self._fleet.ddi.token(digest(given.strip()), tenant)
        if token is None or bool(token.device) != (scheme == "TargetToken"):
            raise Refusal(401, "invalid_token", _NO)
        device = self._fleet.devices.named(tenant, name)
        if token.device:
            if device is None or device.id != token.device:
                raise Refusal(401, "invalid_token", _NO)
        elif device is None:
            device = self._enrolled(token, name)
        if device.revoked_at is not None:
            raise Refusal(403, "revoked", "this device was revoked")
        if device.public_key:
            raise Refusal(403, "signs", "this device signs its requests, and uses another API")
        return device

    def _enrolled(self, token: DdiToken, name: str) -> Enrolled:
        if not _NAME.fullmatch(name):
            raise Refusal(400, "name", "a controller's id: letters, digits, '.', '_' and '-'")
        now = self._clock()
        wanted = new_device(token.tenant, name, now, channel=token.channel, group=token.group)
        return self._fleet.devices.add(wanted, now)
