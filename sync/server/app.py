"""The fleet server's HTTP app: all of its parts put together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from skerry.sync.errors import SyncError
from skerry.sync.hawkbit import operators as ddi_operators
from skerry.sync.hawkbit.api import DdiApi
from skerry.sync.hawkbit.artifacts import Artifacts
from skerry.sync.offers import DeviceFacts, Report
from skerry.sync.server import fleet_api, metrics, rollouts_api
from skerry.sync.server.authority import Operator, needs
from skerry.sync.server.bodies import Answer, Enrolling
from skerry.sync.server.devices_api import DevicesApi
from skerry.sync.server.errors import Refusal, as_refusal
from skerry.sync.server.folding import Folder
from skerry.sync.server.gates import Gates
from skerry.sync.server.live import LiveRollouts
from skerry.sync.server.metrics import Metrics
from skerry.sync.server.roles import Right
from skerry.sync.server.state import opened
from skerry.sync.server.state.rollouts import Kept

POLL_S = 900.0
_EVERY_S = 0.5
_log = logging.getLogger("skerry.fleet")


class Server:
    """`app` is the ASGI application; its lifespan opens and closes the rest.

    Args:
        place: of the state, see `state.opened`. Two connections are made: devices do not wait for
            operators' questions.
        poll_s: how often devices are asked to check in.
        gates: what is checked before a rollout starts.
        ddi: folder that the repository serves; devices of hawkBit's DDI take versions from it.

    Raises:
        FleetStateError: the state cannot be opened.
    """

    def __init__(
        self,
        place: str,
        *,
        poll_s: float = POLL_S,
        gates: Gates | None = None,
        ddi: Path | None = None,
        every_s: float = _EVERY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.fleet, self._hot = opened(place), opened(place)
        self.metrics, self.rollouts = Metrics(), LiveRollouts()
        self.devices = DevicesApi(
            self._hot, self.rollouts, self.metrics, poll_s=poll_s, clock=clock
        )
        self._folder, self._clock, self._every_s = Folder(self.fleet, clock=clock), clock, every_s
        self._wakes = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.fault: Exception | None = None
        self.app = FastAPI(
            title="Skerry fleet", lifespan=self._lifespan, docs_url=None, redoc_url=None
        )
        self._add_routes(gates or Gates())
        if ddi is not None:
            artifacts = Artifacts(ddi, self.fleet.ddi, clock=clock)
            DdiApi(self.fleet, self.rollouts, artifacts, poll_s=poll_s, clock=clock).add_to(
                self.app
            )
            self.app.include_router(ddi_operators.routes(self.fleet))

    def _add_routes(self, gates: Gates) -> None:
        app, see = self.app, Depends(needs(self.fleet, Right.SEE))
        self.devices.add_to(app)
        app.include_router(fleet_api.routes(self.fleet))
        app.include_router(rollouts_api.routes(self.fleet, gates, woken=self._woken))

        @app.get("/health", summary="Whether it works; needs no key")
        def health() -> Response:
            broken = self.fault is not None
            content = b'{"status":"degraded"}' if broken else b'{"status":"ok"}'
            return Response(content, 503 if broken else 200, media_type="application/json")

        @app.get("/metrics", summary="Counts for Prometheus")
        def counts(who: Operator = see) -> Response:  # noqa: ARG001
            return Response(self.metrics.text(), media_type=metrics.TYPE)

        app.add_exception_handler(SyncError, _known)
        app.add_exception_handler(HTTPException, _unknown_route)
        app.add_exception_handler(RequestValidationError, _invalid)
        described = app.openapi
        app.openapi = lambda: _with_devices(described())  # type: ignore[method-assign]

    def _woken(self, kept: Kept) -> None:
        """From a thread of an operator's request."""
        self.rollouts.learn(kept)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wakes.set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it runs, what devices did is folded into rollouts, and what they said is written.

        Raises:
            FleetStateError: the state cannot be read at the start.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self.rollouts.refresh, self.fleet)
        tasks = [asyncio.create_task(one) for one in (self._keep_rollouts(), self._keep_devices())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(SyncError):
                await asyncio.to_thread(self.devices.write_seen)

    async def _keep_rollouts(self) -> None:
        while True:
            await self._tried(self._fold)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._wakes.wait()
            self._wakes.clear()

    async def _keep_devices(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self._tried(self._look)

    def _fold(self) -> None:
        for kept in self._folder.fold():
            self.rollouts.learn(kept)

    def _look(self) -> None:
        self.devices.devices.refresh(self._clock())
        self.rollouts.refresh(self._hot)
        self.devices.write_seen()

    async def _tried(self, work: Callable[[], None]) -> None:
        """A state that cannot be used for a while ends nothing: `/health` says so."""
        try:
            await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001  it is told, and tried again
            if self.fault is None:
                _log.error("%s", error)
            self.fault = error
        else:
            self.fault = None

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(self.fleet.close)
            stack.callback(self._hot.close)
            await stack.enter_async_context(self.running())
            yield


async def _known(_: Request, error: Exception) -> Response:
    return _response(as_refusal(error))


async def _unknown_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:200]}: {error.detail}"
    return _response(Refusal(error.status_code, "http", what))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(one) for one in first["loc"])
    return _response(Refusal(422, "invalid", f"{where}: {first['msg']}"))


def _response(refusal: Refusal) -> Response:
    return Response(refusal.body(), refusal.status, refusal.headers())


def _with_devices(document: dict[str, Any]) -> dict[str, Any]:
    """The routes of devices, which are not FastAPI's, in the OpenAPI document."""
    bodies = {
        "/v1/enroll": (Enrolling, "Enrol a device with a token"),
        "/v1/checkin": (DeviceFacts, "Say what this device is, and hear what it should run"),
        "/v1/reports": (Report, "Say how far an update came"),
    }
    kinds = (*(kind for kind, _ in bodies.values()), Answer)
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    for path, (kind, summary) in bodies.items():
        answer = Answer.__name__ if path == "/v1/checkin" else None
        document["paths"][path] = {"post": _operation(kind.__name__, summary, answer)}
    return document


def _operation(body: str, summary: str, answer: str | None) -> dict[str, Any]:
    def content(name: str) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    done: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        done["content"] = content(answer)
    return {
        "summary": f"{summary}; signed by RFC 9421",
        "requestBody": {"required": True, "content": content(body)},
        "responses": {"200": done, "401": {"description": "Not signed as it should be"}},
    }
