"""The gateway's HTTP app: everything that a file of settings describes, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from skerry.cloud.errors import CloudTierError
from skerry.cloud.gateway.admin_keys import AdminKeys
from skerry.cloud.gateway.collections import Collections
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.errors import Refusal, as_refusal
from skerry.cloud.gateway.exchange import Ended, Observer, booked
from skerry.cloud.gateway.fleet import Fleet
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.health import Health
from skerry.cloud.gateway.keeping import EVERY_S, Keeper
from skerry.cloud.gateway.metrics import Metrics
from skerry.cloud.gateway.relay import Relay
from skerry.cloud.gateway.replicas import Replicated
from skerry.cloud.gateway.routes import Routes
from skerry.cloud.gateway.shadow import Shadows
from skerry.cloud.gateway.split import Split
from skerry.cloud.gateway.state import State
from skerry.cloud.gateway.upstream import Upstream
from skerry.cloud.over_http import routes
from skerry.cloud.service import Service

_PATHS = {"/chat/completions": True, "/completions": True, "/embeddings": False}
"""Paths that pass through, and whether their answers are text."""


class Assembled:
    """A gateway's parts. `app` is the ASGI application; its lifespan opens and closes the rest,
    the engines of `services` and the state too. `keep_s`: seconds from one look at the state to
    the next. `before`: the same gateway as another file described it; it stays one gateway, and
    what tenants asked it counts."""

    def __init__(
        self,
        config: Gateway,
        state: State,
        services: Mapping[str, Service] | None = None,
        *,
        keep_s: float = EVERY_S,
        before: Assembled | None = None,
    ) -> None:
        self.services = dict(services or {})
        self.state = state
        self.gate: Gate = Gate(config, before.gate.rates if before else None)
        self.fleet = Fleet(config)
        for name, service in self.services.items():
            if isinstance(service.verifier, Replicated):
                service.verifier.order = partial(self.fleet.order, name)
        self.upstream = Upstream(config, self.fleet)
        name = before.keeper.name if before else ""
        self.keeper: Keeper = Keeper(self.gate, self.fleet, state, every_s=keep_s, name=name)
        self.health = Health(config, self.fleet)
        self.metrics = Metrics(config, self.gate, self.fleet)
        self.observers: list[Observer] = [
            booked(config, self.gate.ledger),
            self.metrics.observe,
        ]
        self.shadows = Shadows(config, self.upstream, self.observe, self.metrics.compare)
        self.app = FastAPI(
            title="Skerry gateway", lifespan=self._lifespan, docs_url=None, redoc_url=None,
            openapi_url=None,
        )  # fmt: skip
        self._add_routes(config)

    def observe(self, ended: Ended) -> None:
        for observer in self.observers:
            observer(ended)

    def _add_routes(self, config: Gateway) -> None:
        for path, generates in _PATHS.items():
            relay = Relay(
                path, config, self.gate, self.upstream, self.observe, self.shadows, generates
            )
            self.app.router.routes.append(Route(f"/v1{path}", relay, methods=["POST"]))
        Routes(config, self.gate, self.fleet, self.state, self.keeper, self.metrics).add_to(
            self.app
        )
        AdminKeys(config, self.gate, self.state, self.keeper).add_to(self.app)
        Collections(config, self.gate, self.state.collections, self.observe).add_to(self.app)
        split = Split(config, self.gate, self.services, self.observe)
        self.app.add_api_websocket_route("/v1/split", split.serve)
        self.app.include_router(routes(split.serve_http, split.tenant))
        self.app.add_exception_handler(CloudTierError, _known)
        self.app.add_exception_handler(HTTPException, _unknown_route)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it runs, the state is kept up with, and replicas are asked for their health."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.upstream.close)
            await stack.enter_async_context(self.keeper.running())
            await stack.enter_async_context(self.health.running())
            stack.push_async_callback(self.shadows.close)
            yield

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(self.state.close)
            for service in self.services.values():
                stack.push_async_callback(service.verifier.close)
            await stack.enter_async_context(self.running())
            yield


async def _known(_: HttpRequest, error: Exception) -> Response:
    return _response(as_refusal(error))


async def _unknown_route(request: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:200]}: {error.detail}"
    return _response(Refusal(error.status_code, "http_error", what))


def _response(refusal: Refusal) -> Response:
    headers = {name.decode(): value.decode() for name, value in refusal.headers()}
    return Response(refusal.json(), refusal.status, headers)
