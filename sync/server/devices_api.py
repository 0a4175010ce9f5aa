"""`/v1/enroll`, `/v1/checkin`, `/v1/reports`: what devices ask.

A check-in that leads to nothing new touches no database: the device's key and the rollouts are in
memory, and what it says of itself is written with that of others, once a second.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from skerry.sync.offers import DeviceFacts, Offer, Report
from skerry.sync.rollouts.states import TargetState
from skerry.sync.rollouts.targets import BACK, Told, told, tries
from skerry.sync.server import signing
from skerry.sync.server.batching import Batcher
from skerry.sync.server.bodies import Answer, Enrolling
from skerry.sync.server.errors import Refusal, as_refusal
from skerry.sync.server.live import LiveDevices, LiveRollouts
from skerry.sync.server.metrics import Metrics
from skerry.sync.server.roles import digest
from skerry.sync.server.state import Fleet
from skerry.sync.server.state.records import Enrolled, Seen
from skerry.sync.server.state.targets import Saying, Telling
from skerry.sync.server.wire import Json, body_of, decoded


class DevicesApi:
    """`fleet` is a connection of its own, so that no long question of an operator delays it."""

    def __init__(
        self,
        fleet: Fleet,
        rollouts: LiveRollouts,
        metrics: Metrics,
        *,
        poll_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fleet, self._rollouts, self._metrics = fleet, rollouts, metrics
        self._poll_s, self._clock = poll_s, clock
        self.devices = LiveDevices(fleet)
        self._nonces = signing.Nonces()
        self._tells: Batcher[Telling, tuple[TargetState, int]] = Batcher(self._tell)
        self._says: Batcher[Saying, None] = Batcher(self._say)
        self._enrols: Batcher[tuple[str, Enrolled], Enrolled | None] = Batcher(self._enrol, most=1)
        self._seen: dict[str, Seen] = {}

    def add_to(self, app: Starlette) -> None:
        for name, handler in (
            ("enroll", self.enroll), ("checkin", self.checkin), ("reports", self.report)
        ):  # fmt: skip
            route = Route(f"/v1/{name}", self._guarded(name, handler), methods=["POST"])
            app.router.routes.append(route)

    async def enroll(self, request: Request) -> Response:
        body = await body_of(request)
        asked = decoded(body, Enrolling)
        signed = self._signed(request, body)
        if signed.keyid != asked.public_key:
            raise Refusal(401, "signature_wrong", "the key that enrols must sign, as its own id")
        signed.check(bytes.fromhex(asked.public_key))
        now = self._clock()
        wanted = Enrolled(
            secrets.token_hex(12), "", asked.name, asked.public_key, asked.profile, "", "",
            frozenset(asked.tags), now,
        )  # fmt: skip
        device = await self._enrols.ask((digest(asked.token), wanted))
        if device is None:
            what = "this token is not good: it was used, has expired, or is none"
            raise Refusal(401, "token", what, hint="ask an operator for a new one")
        return Json({"device": device.id, "tenant": device.tenant})

    async def checkin(self, request: Request) -> Response:
        body = await body_of(request)
        device, signed = await self._who(request, body)
        facts = decoded(body, DeviceFacts)
        if facts.device != device.id:
            raise Refusal(403, "other_device", "the facts are of another device")
        now = self._clock()
        seen = Seen(
            device.id, now, signed.created, facts.profile, facts.digest, facts.version,
            facts.free_bytes,
        )  # fmt: skip
        self._seen[device.id] = seen
        self.devices.saw(device, seen)
        return Json(Answer(await self._offer(device, facts), self._poll_s))

    async def report(self, request: Request) -> Response:
        body = await body_of(request)
        device, _ = await self._who(request, body)
        report = decoded(body, Report)
        rollout_id, _, attempt = report.offer.partition(":")
        rollout = self._rollouts.get(device.tenant, rollout_id)
        if rollout is None or not attempt:
            raise Refusal(404, "offer", "no such offer was made to this device")
        self._metrics.reported(report.stage)
        if attempt != BACK:
            await self._says.ask(Saying(device.id, device.profile, rollout.plan, report))
        return Json({"taken": True})

    def write_seen(self) -> None:
        """In a thread. What cannot be written is lost: the device says it again."""
        them, self._seen = self._seen, {}
        if them:
            self._fleet.devices.seen(list(them.values()))

    async def _offer(self, device: Enrolled, facts: DeviceFacts) -> Offer | None:
        rollouts = self._rollouts.of(device.tenant, device.channel)
        if not rollouts:
            return None
        asked = replace(device, profile=facts.profile, digest=facts.digest)
        offer = told(rollouts, asked.as_device)
        if offer is None:
            return None
        if offer.attempt:
            state, attempt = await self._tells.ask(Telling(device.id, offer))
            if not tries(state, attempt, offer):
                return None
        self._metrics.offers.inc()
        return _as_offer(offer)

    async def _who(self, request: Request, body: bytes) -> tuple[Enrolled, signing.Signed]:
        """Who signed a request.

        Raises:
            Refusal: 401, 403: nobody that is known.
            SignatureFault: it is not signed as it should be.
        """
        signed = self._signed(request, body)
        device = await self.devices.get(signed.keyid)
        if device is None:
            raise Refusal(401, "unknown_device", "no such device is enrolled")
        signed.check(bytes.fromhex(device.public_key))
        if device.revoked_at is not None:
            raise Refusal(403, "revoked", "this device was revoked")
        self._nonces.take(signed, self._clock())
        return device, signed

    def _signed(self, request: Request, body: bytes) -> signing.Signed:
        return signing.read(
            request.headers, request.method, request.url.path, body, now=self._clock()
        )

    def _guarded(
        self, name: str, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            start = time.perf_counter()
            try:
                answer = await handler(request)
            except Exception as error:  # noqa: BLE001  each is an answer
                refusal = as_refusal(error)
                answer = Response(refusal.body(), refusal.status, refusal.headers())
            self._metrics.answered(name, answer.status_code, time.perf_counter() - start)
            return answer

        return guarded

    def _tell(self, them: Sequence[Telling]) -> list[tuple[TargetState, int]]:
        return self._fleet.targets.tell(them, self._clock())

    def _say(self, them: Sequence[Saying]) -> list[None]:
        self._fleet.targets.say(them, self._clock())
        return [None] * len(them)

    def _enrol(self, them: Sequence[tuple[str, Enrolled]]) -> list[Enrolled | None]:
        return [self._fleet.devices.enrol(token, one, self._clock()) for token, one in them]


def _as_offer(told_: Told) -> Offer:
    version = told_.version
    return Offer(
        id=told_.id,
        target=version.target,
        version=version.version,
        digest=version.digest,
        probation_s=told_.probation_s,
        mode=told_.mode.value,
    )
