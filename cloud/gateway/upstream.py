"""Asks replicas until one begins to answer: fallbacks, and what failures do to a replica.

Once the first byte of an answer is there, nothing is asked again.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx2

from skerry.cloud.gateway.config import Gateway, Model
from skerry.cloud.gateway.errors import GatewayConfigError, Refusal
from skerry.cloud.gateway.fleet import Fleet, Replica

_CONNECT_S = 5.0
_SPARE_CONNECTIONS = 64  # for shadows
_KEPT = 256
_KEPT_S = 3.0  # shorter than servers keep them
_MOST_TRIES = 4
_AGAIN = frozenset({429, 502, 503, 504})
_HEADERS_UP = ("accept", "content-type", "traceparent", "tracestate", "x-request-id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: `path` after the base URL, such as `/chat/completions`; `body` gives the
    request's body for a model by its name; `session` chooses the replica. Of `headers` some go on.
    `fallback`: other models may take the model's place."""

    model: str
    path: str
    body: Callable[[str], bytes]
    session: bytes
    headers: Mapping[str, str]
    fallback: bool = True


@dataclass(frozen=True, slots=True)
class Begun:
    """An answer that has begun. `chunks` begin with its first bytes."""

    replica: Replica
    status: int
    headers: httpx2.Headers
    chunks: AsyncIterator[bytes]
    tries: int


class Broken(Exception):
    """An answer broke off after it had begun."""


class Upstream:
    """The pool of connections to all replicas of all models."""

    def __init__(
        self, config: Gateway, fleet: Fleet, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._config, self._fleet, self._clock = config, fleet, clock
        self._http = httpx2.AsyncClient(
            limits=httpx2.Limits(
                max_connections=config.limits.places + _SPARE_CONNECTIONS,
                max_keepalive_connections=_KEPT,
                keepalive_expiry=_KEPT_S,
            ),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._http.aclose()

    @asynccontextmanager
    async def answer(self, wanted: Wanted) -> AsyncIterator[Begun]:
        """The answer of the first replica that begins one.

        Raises:
            Refusal: 503: none takes requests; 502: none answered.
        """
        tries = self._tries(wanted)
        if not tries:
            what = f"no replica of '{wanted.model}' takes requests now"
            raise Refusal(503, "no_replica", what, hint="try again in a moment", retry_s=5)
        async with AsyncExitStack() as stack:
            yield await self._first(stack, wanted, tries)

    async def _first(self, stack: AsyncExitStack, wanted: Wanted, tries: list[Replica]) -> Begun:
        for number, replica in enumerate(tries, 1):
            attempt = await stack.enter_async_context(AsyncExitStack())
            begun = await self._try(attempt, wanted, replica, number)
            if begun is not None and (begun.status not in _AGAIN or number == len(tries)):
                return begun
            await attempt.aclose()
        what = f"none of {len(tries)} replicas answered"
        raise Refusal(502, "upstream_failed", what, hint="try again in a moment", retry_s=5)

    def _tries(self, wanted: Wanted) -> list[Replica]:
        """At most two of a model, then of those that take its place."""
        others = self._config.models[wanted.model].fallback if wanted.fallback else ()
        each = [self._fleet.order(name, wanted.session)[:2] for name in (wanted.model, *others)]
        return [replica for several in each for replica in several][:_MOST_TRIES]

    async def _try(
        self, stack: AsyncExitStack, wanted: Wanted, replica: Replica, number: int
    ) -> Begun | None:
        """None where nothing came."""
        stack.enter_context(replica.busy())
        watched = stack.enter_context(_Watched(replica, self._clock))
        try:
            response = await self._sent(wanted, replica)
            stack.push_async_callback(response.aclose)
            chunks = response.aiter_raw()
            first = await anext(chunks, b"")
        except httpx2.HTTPError:
            watched.failed()
            return None
        watched.status(response.status_code)
        rest = _going_on(first, chunks, watched)
        return Begun(replica, response.status_code, response.headers, rest, number)

    async def _sent(self, wanted: Wanted, replica: Replica) -> httpx2.Response:
        """Once more on another connection, where one that was kept has been closed meanwhile."""
        try:
            return await self._http.send(self._request(wanted, replica), stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            return await self._http.send(self._request(wanted, replica), stream=True)

    def _request(self, wanted: Wanted, replica: Replica) -> httpx2.Request:
        model = self._config.models[replica.model]
        return self._http.build_request(
            "POST",
            f"{replica.url}{wanted.path}",
            content=wanted.body(replica.model),
            headers=self._headers(replica, wanted.headers),
            timeout=httpx2.Timeout(model.read_seconds, connect=_CONNECT_S),
        )

    def _headers(self, replica: Replica, given: Mapping[str, str]) -> dict[str, str]:
        passed = {name: given[name] for name in _HEADERS_UP if name in given}
        passed["accept-encoding"] = "identity"
        key = upstream_key(self._config.models[replica.model])
        return {**passed, "authorization": f"Bearer {key}"} if key else passed


class _Watched:
    """Tells the breaker of a replica how one request went, exactly once."""

    def __init__(self, replica: Replica, clock: Callable[[], float]) -> None:
        self._replica, self._breaker, self._clock = replica, replica.breaker, clock
        self._told = False

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._told:
            self._breaker.left()

    def status(self, status: int) -> None:
        """A 500 may be a request's own fault, and must not keep others out; nor is a 429 one."""
        if status in (429, 500):
            return
        self._told = True
        if status in _AGAIN:
            self._breaker.failed(self._clock())
        else:
            self._breaker.worked()
            self._replica.missed = 0

    def failed(self) -> None:
        self._told = True
        self._breaker.failed(self._clock())


async def _going_on(
    first: bytes, chunks: AsyncIterator[bytes], watched: _Watched
) -> AsyncIterator[bytes]:
    if first:
        yield first
    try:
        async for chunk in chunks:
            yield chunk
    except httpx2.HTTPError as error:
        watched.failed()
        raise Broken from error


def check_keys(config: Gateway) -> None:
    """Raises GatewayConfigError: a variable with the key of servers is not set."""
    for name, model in config.models.items():
        if model.key_env and not os.environ.get(model.key_env):
            raise GatewayConfigError(
                f"models.{name}.key_env: the variable {model.key_env} is not set",
                hint="set it to the key of the model's servers, or leave key_env out",
            )


def upstream_key(model: Model) -> str:
    """The key that a model's servers want; empty where none is named."""
    return os.environ.get(model.key_env, "") if model.key_env else ""
