"""Asks a second model the same, after the answer, and compares counts, times and lengths.

The client waits for nothing and is told nothing. No text of either answer is kept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from skerry.cloud.gateway.asked import Asked, body_for
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.exchange import NOTHING, Ended, Observer
from skerry.cloud.gateway.fleet import part
from skerry.cloud.gateway.metering import Tokens, meter
from skerry.cloud.gateway.upstream import Broken, Upstream, Wanted

TENANT = "(shadow)"
"""To whom the shadow's tokens are booked: to no tenant."""
_MOST = 16
_log = logging.getLogger("skerry.gateway")


@dataclass(frozen=True, slots=True)
class Answered:
    """How one model answered. `length` in bytes, `seconds` from the asking to the end."""

    model: str
    status: int
    seconds: float
    length: int
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Compared:
    """How two models answered the same."""

    answer: Answered
    shadow: Answered


class Shadows:
    """Used by one event loop. At most 16 run at once; others are left out."""

    def __init__(
        self,
        config: Gateway,
        upstream: Upstream,
        observe: Observer,
        compared: Callable[[Compared], None],
    ) -> None:
        self._config, self._upstream = config, upstream
        self._observe, self._compared = observe, compared
        self._running: set[asyncio.Task[None]] = set()

    def follow(self, asked: Asked, path: str, answer: Answered) -> None:
        """Asks the shadow of the model that answered, if the session has a part in it."""
        wanted = self._config.models[asked.model].shadow
        if wanted is None or answer.status >= 300 or len(self._running) >= _MOST:
            return
        if part(asked.session, "shadow") < wanted.share:
            task = asyncio.create_task(self._ask(asked, path, wanted.model, answer))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _ask(self, asked: Asked, path: str, model: str, answer: Answered) -> None:
        since, status, length, tokens = time.monotonic(), 0, 0, NOTHING
        try:
            async with asyncio.timeout(self._config.limits.deadline_seconds):
                async with self._upstream.answer(self._wanted(asked, path, model)) as begun:
                    status = begun.status
                    seen = meter(begun.headers.get("content-type", ""), drops=False)
                    async for chunk in begun.chunks:
                        length += len(seen.feed(chunk))
                    length += len(seen.rest())
                    tokens = seen.tokens(0) if status < 300 else NOTHING
        except Refusal as refusal:
            status = refusal.status
        except (Broken, TimeoutError):
            status = 502
        seconds = time.monotonic() - since
        self._observe(
            Ended(
                "shadow", TENANT, asked.request_class, model, model, status, seconds, tokens=tokens
            )
        )
        self._compared(Compared(answer, Answered(model, status, seconds, length, tokens)))

    def _wanted(self, asked: Asked, path: str, model: str) -> Wanted:
        def body(name: str) -> bytes:
            return body_for(asked, name, self._config, generates=True)

        return Wanted(model, path, body, asked.session, {}, fallback=False)
