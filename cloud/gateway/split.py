"""`/v1/split` of a gateway: devices that draft pass the same gate as every other request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from fastapi import Request, WebSocket

from skerry.cloud.channel import Gone, Telling
from skerry.cloud.errors import CloudTierError
from skerry.cloud.gateway.asked import CLASS, TEMPLATE, check_template, deadline_s
from skerry.cloud.gateway.config import DEFAULT_CLASS, Gateway
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.exchange import Ended, Observer
from skerry.cloud.gateway.fleet import part
from skerry.cloud.gateway.gate import Gate, Ticket
from skerry.cloud.gateway.keys import Holder
from skerry.cloud.gateway.metered import MeteredChannel
from skerry.cloud.gateway.metering import Tokens
from skerry.cloud.gateway.traces import describe, spanned
from skerry.cloud.hints.frames import SUBPROTOCOL, Open
from skerry.cloud.service import Service, Unopened, opening
from skerry.cloud.sockets import SocketChannel

_ROUTE = "/v1/split"


@dataclass(frozen=True, slots=True)
class Split:
    """Serves generations of the models that are in this process."""

    config: Gateway
    gate: Gate
    services: Mapping[str, Service]
    observe: Observer

    async def serve(self, socket: WebSocket) -> None:
        try:
            with self.gate.ticket(socket.headers) as ticket:
                await socket.accept(subprotocol=SUBPROTOCOL)
                channel = SocketChannel(socket)
                await self._accepted(channel, socket.headers, ticket)
                await channel.close()
        except Refusal as refusal:
            if refusal.status == 401:
                await socket.close()  # before it is accepted: the answer is 403
            else:
                await _refuse(socket, refusal)

    async def serve_http(self, channel: Telling, request: Request) -> None:
        """As `serve`, for a device whose network lets no WebSockets through."""
        try:
            with self.gate.ticket(request.headers) as ticket:
                await self._accepted(channel, request.headers, ticket)
        except Refusal as refusal:
            await channel.tell(refusal)

    def tenant(self, request: Request) -> str | None:
        """Whose key a request has; None: nobody's."""
        try:
            return self.gate.keys.holder(request.headers).tenant
        except Refusal:
            return None

    async def _accepted(self, channel: Telling, headers: Mapping[str, str], ticket: Ticket) -> None:
        run = _Run(ticket.holder, MeteredChannel(channel, ""))
        with spanned(_ROUTE, headers) as span:
            try:
                await self._run(run, ticket, headers)
            finally:  # also where the gateway is stopped
                ended = run.ended()
                describe(span, ended)
                self.observe(ended)

    async def _run(self, run: _Run, ticket: Ticket, headers: Mapping[str, str]) -> None:
        try:
            seconds = deadline_s(headers, self.config)
            task = asyncio.ensure_future(self._serve(run, headers))
            ticket.stopped_by(task.cancel)
            await _within(task, ticket, seconds)
        except Gone:
            run.channel.status = 499
        except CloudTierError as error:
            run.channel.status = error.status if isinstance(error, Refusal) else 400
            await run.channel.channel.tell(error)

    async def _serve(self, run: _Run, headers: Mapping[str, str]) -> None:
        asked = await opening(run.channel.channel)
        run.request_class = self._class(headers, run.holder)
        name = self._model(asked.model, run.request_class, run.holder)
        run.channel.name = run.asked_model = name = self._of_session(name, asked, run.holder)
        check_template(headers, name, self.config.models[name])
        self.services[name].check_length(asked)  # before it waits, and takes memory
        names = [name, *self._instead(name, asked, headers, run.holder)]
        for one in names:
            run.channel.name, run.channel.opening = one, msgspec.structs.replace(asked, model="")
            with suppress(Unopened):
                await self._served(run, one, alone=one == names[-1])
                return

    async def _served(self, run: _Run, name: str, *, alone: bool) -> None:
        async with self.gate.place(run.holder, name):
            run.waited_s, run.tries = time.monotonic() - run.channel.since, run.tries + 1
            service = self.services[name]
            await service.serve(run.channel, owner=run.holder.tenant, alone=alone)

    def _class(self, headers: Mapping[str, str], holder: Holder) -> str:
        """The class that a device names; a class of its own router's that this gateway has no rules
        for is the usual one."""
        given = headers.get(CLASS) or DEFAULT_CLASS
        if given not in self.config.classes:
            given = DEFAULT_CLASS
        if holder.rules.classes is not None and given not in holder.rules.classes:
            what = f"requests of the class '{given}' are not open to you"
            raise Refusal(403, "class_not_allowed", what)
        return given

    def _model(self, given: str, request_class: str, holder: Holder) -> str:
        """The model of that name or tier; of none, that of the class's tier, or else the first."""
        allowed = holder.rules.models
        names = [name for name in self.services if allowed is None or name in allowed]
        tiers = {name: self.config.models[name].tier for name in names}
        if given in names:
            return given
        of_class = self.config.classes.get(request_class)
        wanted = given or (of_class and of_class.tier)
        found = [name for name in names if tiers[name] == wanted]
        if found or (names and not given):
            return (found or names)[0]
        what = "there is no such model for devices that draft"
        hint = f"ask for one of: {', '.join(names)}" if names else ""
        raise Refusal(404, "model_not_found", what, hint=hint)

    def _of_session(self, name: str, asked: Open, holder: Holder) -> str:
        """The model, or its canary for the sessions in its share; a canary of other tokens takes no
        part."""
        portion = self.config.models[name].canary
        if portion is None or not asked.session or not self._same_tokens(name, portion.model):
            return name
        session = f"{holder.tenant}/{asked.session}".encode()
        return portion.model if part(session, "canary") < portion.share else name

    def _instead(
        self, name: str, asked: Open, headers: Mapping[str, str], holder: Holder
    ) -> list[str]:
        """The models that may take the place of `name` while nothing was said: an answer that goes
        on after a broken connection would go on as another's."""
        if asked.generated:
            return []
        allowed, given = holder.rules.models, asked.kept + len(asked.tokens)
        template = headers.get(TEMPLATE)
        return [
            other
            for other in self.config.models[name].fallback
            if self._same_tokens(name, other)
            and (allowed is None or other in allowed)
            and template in (None, self.config.models[other].template)
            and given < self.services[other].verifier.facts.context_tokens
        ]

    def _same_tokens(self, name: str, other: str) -> bool:
        """Whether both verify drafts, and it is known that their tokens are the same."""
        if other not in self.services:
            return False
        own, its = (self.services[one].verifier.facts.vocabulary for one in (name, other))
        return bool(own) and own == its


@dataclass(slots=True)
class _Run:
    """One generation, as far as it has come."""

    holder: Holder
    channel: MeteredChannel
    asked_model: str = ""
    tries: int = 0
    request_class: str = DEFAULT_CLASS
    waited_s: float = 0.0

    def ended(self) -> Ended:
        seen = self.channel
        return Ended(
            _ROUTE,
            self.holder.tenant,
            self.request_class,
            self.asked_model,
            seen.name,
            seen.status or 499,
            time.monotonic() - seen.since,
            waited_s=self.waited_s,
            first_s=seen.first_s,
            tries=self.tries,
            tokens=Tokens(seen.prompt, seen.tokens, 0),
            drafted=max(seen.drafted, seen.accepted),
            accepted=seen.accepted,
            passes=seen.passes,
        )


async def _within(task: asyncio.Future[None], ticket: Ticket, seconds: float) -> None:
    """Waits for `task` to end.

    Raises:
        Refusal: 504: it took too long; or why it was stopped.
    """
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        done = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if done and not task.cancelled():
        task.result()
    elif ticket.why is not None:
        raise ticket.why
    else:
        raise Refusal(504, "deadline_exceeded", "the generation took too long")


async def _refuse(socket: WebSocket, refusal: Refusal) -> None:
    """In words of the protocol: a device reads them, and no body of a failed handshake."""
    await socket.accept(subprotocol=SUBPROTOCOL)
    channel = SocketChannel(socket)
    await channel.tell(refusal)
    await channel.close()
