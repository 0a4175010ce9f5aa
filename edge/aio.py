"""Runs a blocking iterator in a thread of its own and hands its items to a coroutine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class _End:
    """The iterator is exhausted, or failed with `error`."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


async def iterate_in_thread(
    make: Callable[[], Iterator[T]], cancel: threading.Event
) -> AsyncIterator[T]:
    """The items of `make()`, which runs in a daemon thread. Leaving early sets `cancel`.

    Raises:
        Whatever the iterator raises.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | _End] = asyncio.Queue()

    def put(item: T | _End) -> None:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, item)
        except RuntimeError:  # the loop is closed: nobody listens any more
            cancel.set()

    def pump() -> None:
        try:
            for item in make():
                put(item)
        except BaseException as error:  # noqa: BLE001  it is raised again where it is awaited
            put(_End(error))
        else:
            put(_End())

    threading.Thread(target=pump, name="skerry-stream", daemon=True).start()
    try:
        while not isinstance(item := await queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        cancel.set()
