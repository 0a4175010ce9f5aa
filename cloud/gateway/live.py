"""The gateway that the file says now: SIGHUP reads the file again, and no request is lost.

What is under way goes on as the file was when it came. Engines in this process and the state stay:
to change those, the gateway is started again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from skerry.cloud.errors import CloudTierError
from skerry.cloud.gateway.app import Assembled
from skerry.cloud.gateway.config import Gateway, Model
from skerry.cloud.gateway.errors import GatewayConfigError
from skerry.cloud.gateway.load import load
from skerry.cloud.gateway.state import State
from skerry.cloud.gateway.upstream import check_keys
from skerry.cloud.service import Service

_LOOK_S = 0.2
_log = logging.getLogger("skerry.gateway")


class Live:
    """An ASGI application. Its lifespan closes the state and the engines of `services`."""

    def __init__(
        self, path: Path, config: Gateway, state: State, services: Mapping[str, Service]
    ) -> None:
        self._path, self._state, self._services = path, state, dict(services)
        self._first = config
        self.current = Assembled(config, state, services)
        self._shell = FastAPI(lifespan=self._lifespan, openapi_url=None)
        self._running: dict[Assembled, AsyncExitStack] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._shell if scope["type"] == "lifespan" else self.current.app
        await app(scope, receive, send)

    def close(self) -> None:
        """Lets nobody in any more."""
        for parts in self._running:
            parts.gate.close()

    async def reload(self) -> None:
        """Reads the file again; where it is wrong, all stays as it is, and the log says why."""
        try:
            config = load(self._path)
            check_keys(config)
            self._check(config)
            named = {name: one for name, one in self._services.items() if name in config.models}
            before = self.current
            await self._start(Assembled(config, self._state, named, before=before))
        except CloudTierError as error:
            _log.error("the file was not taken: %s", error)
        else:
            _log.warning("%s was read again", self._path)

    async def _start(self, parts: Assembled) -> None:
        stack = AsyncExitStack()
        await stack.enter_async_context(parts.running())
        self._running[parts] = stack
        old, self.current = self.current, parts
        if old is not parts:
            self._spawn(self._end(old))

    async def _end(self, parts: Assembled) -> None:
        while parts.gate.under_way:  # noqa: ASYNC110  nobody tells of the last one
            await asyncio.sleep(_LOOK_S)
        await self._running.pop(parts).aclose()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _check(self, config: Gateway) -> None:
        """Raises GatewayConfigError: what is in this process, or shared, would change."""
        if config.state != self._first.state:
            raise _needs_a_start("state")
        for name, model in config.models.items():
            known = self._first.models.get(name)
            if model.drafts and (known is None or _engine(known) != _engine(model)):
                raise _needs_a_start(f"models.{name}")

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        await self._start(self.current)
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, AttributeError, ValueError, RuntimeError):
            loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self.reload()))
        try:
            yield
        finally:
            await self._close()

    async def _close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stack in self._running.values():
            await stack.aclose()
        for service in self._services.values():
            await service.verifier.close()
        self._state.close()


def _engine(model: Model) -> tuple[object, ...]:
    """What an engine is made of."""
    servers = (model.replicas, model.upstream_model) if model.tokenizer else ()
    return (model.path, model.tokenizer, model.context_tokens, model.most_places, *servers)


def _needs_a_start(what: str) -> GatewayConfigError:
    return GatewayConfigError(
        f"{what} cannot change while the gateway runs", hint="start the gateway again"
    )
