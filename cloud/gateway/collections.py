"""Collections of a gateway: devices search them by a vector, operators publish them.

A collection is there where the file names it, for the tenants that it names. Nothing of a search is
kept: neither the vector nor what was found.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fastapi import FastAPI, Request
from starlette.responses import Response

from skerry.cloud.collections.nearest import NotFound, OtherEncoder, Searcher
from skerry.cloud.collections.store import CollectionStore, TooManyPassages, UnknownParts
from skerry.cloud.collections.wire import (
    BadCollection,
    Kind,
    Listed,
    Missing,
    Publish,
    Search,
    Wanted,
    read,
    read_parts,
)
from skerry.cloud.errors import RequestError
from skerry.cloud.gateway.bodies import Gone, whole_body
from skerry.cloud.gateway.config import DEFAULT_CLASS, Gateway, Role
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.exchange import Ended, Observer
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keys import Holder
from skerry.cloud.gateway.requests import Json, asked_by

ROUTE = "/v1/collections"
_SEARCH_BYTES = 16 << 10
_AT_ONCE = 2
_WAIT_S = 5.0
_STATUSES: dict[type[RequestError], int] = {
    BadCollection: 400,
    NotFound: 404,
    OtherEncoder: 409,
    UnknownParts: 409,
    TooManyPassages: 413,
}
Result = TypeVar("Result")


class Collections:
    """The routes. Used by one event loop."""

    def __init__(
        self, config: Gateway, gate: Gate, store: CollectionStore, observe: Observer
    ) -> None:
        self.config, self.gate, self.store, self.observe = config, gate, store, observe
        self._searcher, self._turns = Searcher(store), asyncio.Semaphore(_AT_ONCE)

    def add_to(self, app: FastAPI) -> None:
        app.add_api_route(ROUTE, self.listed, methods=["GET"])
        app.add_api_route(f"{ROUTE}/{{name}}/search", self.search, methods=["POST"])
        app.add_api_route("/admin/collections/{name}", self.publish, methods=["PUT"])
        app.add_api_route("/admin/collections/{name}", self.remove, methods=["DELETE"])
        app.add_api_route("/admin/collections/{name}/missing", self.missing, methods=["POST"])
        app.add_api_route("/admin/collections/{name}/parts", self.add, methods=["POST"])

    async def listed(self, request: Request) -> Response:
        """Those that the tenant may search and that were published."""
        with asked_by(self.gate, request, Role.USER) as holder:
            there = await asyncio.to_thread(self.store.published)
            return Json(Listed(tuple(one for one in there if self._sees(holder, one.name))))

    async def search(self, request: Request, name: str) -> Response:
        since, status = time.monotonic(), 500
        with self.gate.ticket(request.headers, free=True) as ticket:
            try:
                response = await self._found(request, name, ticket.holder)
                status = 200
            except Refusal as refusal:
                status = refusal.status
                raise
            finally:
                took = time.monotonic() - since
                tenant = ticket.holder.tenant
                self.observe(Ended(ROUTE, tenant, DEFAULT_CLASS, "", "", status, took))
        return response

    async def missing(self, request: Request, name: str) -> Response:
        """Which parts a publisher has still to send."""
        with self._operator(request, name):
            wanted = await self._large(request, Wanted)
            parts = await self._done(self.store.missing, wanted.parts, time.time())
            return Json(Missing(tuple(parts)))

    async def add(self, request: Request, name: str) -> Response:
        """Takes parts; each is there whole when the answer comes, also where a later one failed."""
        with self._operator(request, name), self._large_body(request) as whole:
            body = await whole
            with _refused():
                parts = read_parts(body)
            for digest, part in parts.items():
                await self._done(self.store.add, digest, part, time.time())
            return Json({"parts": list(parts)})

    async def publish(self, request: Request, name: str) -> Response:
        """The collection has these parts from now on; all gateways follow within seconds."""
        with self._operator(request, name):
            wanted = await self._large(request, Publish)
            most = self.config.collections[name].most_passages
            info = await self._done(self.store.publish, name, wanted, time.time(), most)
            return Json(info)

    async def remove(self, request: Request, name: str) -> Response:
        with self._operator(request, name):
            if not await self._done(self.store.remove, name):
                raise Refusal(404, NotFound.code, f"nothing was published as '{name}'")
            return Json({"name": name, "removed": True})

    async def _found(self, request: Request, name: str, holder: Holder) -> Response:
        if not self._sees(holder, name):
            raise _no_such(name)
        body = await _body(request, _SEARCH_BYTES)
        with _refused():
            asked = read(body, Search)
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._turns.acquire()
        except TimeoutError:
            what = "too many searches are under way"
            raise Refusal(503, "busy", what, hint="try again in a moment", retry_s=1) from None
        try:
            return Json(await self._done(self._searcher.search, name, asked))
        finally:
            self._turns.release()

    async def _large(self, request: Request, kind: type[Kind]) -> Kind:
        with self._large_body(request) as whole, _refused():
            return read(await whole, kind)

    @contextmanager
    def _large_body(self, request: Request) -> Iterator[Awaitable[bytes]]:
        with self.gate.room.held() as take:
            yield _body(request, self.config.limits.body_kib << 10, take)

    async def _done(self, work: Callable[..., Result], *arguments: object) -> Result:
        with _refused():
            return await asyncio.to_thread(work, *arguments)

    def _sees(self, holder: Holder, name: str) -> bool:
        collection = self.config.collections.get(name)
        operates = holder.role.covers(Role.OPERATOR)
        return collection is not None and (operates or collection.is_open_to(holder.tenant))

    @contextmanager
    def _operator(self, request: Request, name: str) -> Iterator[None]:
        with asked_by(self.gate, request, Role.OPERATOR):
            if name not in self.config.collections:
                raise _no_such(name)
            yield


async def _body(request: Request, most: int, take: Callable[[int], None] = lambda _: None) -> bytes:
    try:
        return await whole_body(request.receive, request.headers, most, take)
    except Gone:
        raise Refusal(408, "gone", "the client went away") from None


def _no_such(name: str) -> Refusal:
    hint = "an operator makes it with [collections.NAME] in the gateway's file"
    return Refusal(404, NotFound.code, f"there is no collection '{name[:64]}' for you", hint=hint)


@contextmanager
def _refused() -> Iterator[None]:
    """What is wrong with a request, as the answer to it."""
    try:
        yield
    except RequestError as error:
        status = _STATUSES.get(type(error), 400)
        raise Refusal(status, error.code, error.what, hint=error.hint) from error
