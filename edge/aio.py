"""Runs blocking iterators in threads of their own and hands their items to a coroutine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


class _End:
    """An iterator is exhausted, or failed with `error`."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def iterate_in_thread(make: Callable[[], Iterator[T]], cancel: threading.Event) -> AsyncIterator[T]:
    """The items of `make()`, which runs in a thread of its own. Leaving early sets `cancel`.

    The process does not end before the thread: native code that runs while the interpreter ends
    aborts it.

    Raises:
        Whatever the iterator raises.
    """
    return iterate_in_threads((make,), cancel)


async def iterate_in_threads(
    makes: Sequence[Callable[[], Iterator[T]]], cancel: threading.Event
) -> AsyncIterator[T]:
    """The items of all, as they come. The first that fails, and leaving early, set `cancel`.

    Raises:
        Whatever an iterator raises.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[T | _End] = asyncio.Queue()

    def put(item: T | _End) -> None:
        try:
            loop.call_soon_threadsafe(queue.put_nowait, item)
        except RuntimeError:  # the loop is closed: nobody listens any more
            cancel.set()

    def pump(make: Callable[[], Iterator[T]]) -> None:
        try:
            for item in make():
                put(item)
        except BaseException as error:  # noqa: BLE001  it is raised again where it is awaited
            put(_End(error))
        else:
            put(_End())

    for make in makes:
        threading.Thread(target=pump, args=(make,), name="skerry-stream").start()
    left = len(makes)
    try:
        while left:
            item = await queue.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                left -= 1
    finally:
        cancel.set()
