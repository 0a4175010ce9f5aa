"""Keeps the gate and the state in step: once a second usage is written, and keys are read.

A state that cannot be used for a while stops nobody: what was used waits, the keys stay as they
are, and `fault` says so.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from skerry.cloud.gateway.errors import StateError
from skerry.cloud.gateway.fleet import Fleet
from skerry.cloud.gateway.gate import Gate
from skerry.cloud.gateway.keys import KeyRing
from skerry.cloud.gateway.state.base import Key, State

EVERY_S = 1.0
_ALIVE_S = 10.0
_log = logging.getLogger("skerry.gateway")


@dataclass(frozen=True, slots=True)
class _News:
    keys: list[Key]
    drained: set[tuple[str, str]]
    spent: dict[str, int]
    gateways: int


class Keeper:
    """Between one gate and the state that it shares. `fault` is what kept the last time from
    going well."""

    def __init__(
        self, gate: Gate, fleet: Fleet, state: State, *, every_s: float = EVERY_S, name: str = ""
    ) -> None:
        self._gate, self._fleet, self._state, self._every_s = gate, fleet, state, every_s
        self.name = name or secrets.token_hex(8)
        """Of the gateway, among those that share the state."""
        self._seen: list[Key] | None = None
        self.fault: StateError | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Reads the state first, and writes what is left at the end.

        Raises:
            StateError: it cannot be read at the start.
        """
        self._learn(await asyncio.to_thread(self._read))
        ends = asyncio.Event()
        task = asyncio.create_task(self._keep(ends))
        try:
            yield
        finally:
            ends.set()
            await task

    async def _keep(self, ends: asyncio.Event) -> None:
        while not ends.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await ends.wait()
            await self.step()

    async def step(self) -> None:
        """Writes what was used since, and learns what has changed."""
        try:
            await self._write()
            self._learn(await asyncio.to_thread(self._read))
        except StateError as error:
            if self.fault is None:
                _log.error("%s", error.what)
            self.fault = error
        else:
            self.fault = None

    async def _write(self) -> None:
        ledger = self._gate.ledger
        uses = ledger.taken()
        if not uses:
            return
        try:
            await asyncio.to_thread(self._state.add_usage, uses)
        except StateError:
            ledger.given_back(uses)
            raise

    def _read(self) -> _News:
        """In a thread."""
        return _News(
            self._state.keys(),
            self._state.drained(),
            self._state.spent(self._gate.ledger.today),
            self._state.beat(self.name, time.time(), within_s=_ALIVE_S),
        )

    def _learn(self, news: _News) -> None:
        self._gate.ledger.written(news.spent)
        self._gate.gateways = max(1, news.gateways)
        self._fleet.drain(news.drained)
        if self._seen != news.keys:
            self._seen = news.keys
            self._gate.keep(KeyRing(self._gate.config, news.keys))
