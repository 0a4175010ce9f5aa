"""Work that costs a round trip is done for many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Batcher(Generic[Asked, Given]):
    """Runs `work` in a thread, for all that came while it ran before; `most` at a time.

    Nobody waits for a batch to fill: the first one starts at once.
    """

    def __init__(
        self, work: Callable[[Sequence[Asked]], Sequence[Given]], *, most: int = 500
    ) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Asked, asyncio.Future[Given]]] = []
        self._runs: asyncio.Task[None] | None = None

    async def ask(self, one: Asked) -> Given:
        """Raises whatever `work` raises, for all of a batch."""
        future: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._runs is None:
            self._runs = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                found = await asyncio.to_thread(self._work, [one for one, _ in batch])
            except Exception as error:  # noqa: BLE001  everybody who waits is told
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), answer in zip(batch, found, strict=True):
                    if not future.done():
                        future.set_result(answer)
        self._runs = None
