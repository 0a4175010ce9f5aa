"""Asks every replica now and then whether it is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2

from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.fleet import Fleet, Replica
from skerry.cloud.gateway.upstream import upstream_key

EVERY_S = 10.0
_WITHIN_S = 5.0


class Health:
    """A check goes well where `GET {url}/models` is answered within 5 s and without a 5xx."""

    def __init__(self, config: Gateway, fleet: Fleet, *, every_s: float = EVERY_S) -> None:
        self._config, self._fleet, self._every_s = config, fleet, every_s
        self._http = httpx2.AsyncClient(timeout=_WITHIN_S, trust_env=False)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._http.aclose()

    async def check(self) -> None:
        await asyncio.gather(*map(self._check, self._fleet))

    async def _keep(self) -> None:
        while True:
            await self.check()
            await asyncio.sleep(self._every_s)

    async def _check(self, replica: Replica) -> None:
        key = upstream_key(self._config.models[replica.model])
        headers = {"authorization": f"Bearer {key}"} if key else {}
        try:
            async with asyncio.timeout(_WITHIN_S):
                answer = await self._http.get(f"{replica.url}/models", headers=headers)
        except (httpx2.HTTPError, TimeoutError):
            good = False
        else:
            good = answer.status_code < 500
        replica.missed = 0 if good else replica.missed + 1
