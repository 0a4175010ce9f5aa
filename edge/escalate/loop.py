"""An event loop in a thread of its own, on which blocking callers can have coroutines run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

_POLL_S = 0.02
_JOIN_S = 5.0


class LoopThread:
    """A running event loop; started by the first `submit`.

    `on_close` is awaited on it when everything else there has ended.
    """

    def __init__(self, name: str, on_close: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._on_close = on_close
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = asyncio.Event()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Starts `coroutine`. Raises RuntimeError after `close`."""
        with self._lock:
            if self._closed:
                coroutine.close()
                raise RuntimeError(f"the thread {self._name} is closed")
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop or self._start())

    def close(self) -> None:
        """Cancels what runs and ends the thread. May be called twice."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_JOIN_S)

    def _start(self) -> asyncio.AbstractEventLoop:
        started: Future[asyncio.AbstractEventLoop] = Future()
        main = _serve(started, self._stop, self._on_close)
        self._thread = threading.Thread(
            target=asyncio.run, args=(main,), name=self._name, daemon=True
        )
        self._thread.start()
        self._loop = started.result()
        return self._loop


async def _serve(
    started: Future[asyncio.AbstractEventLoop],
    stop: asyncio.Event,
    on_close: Callable[[], Awaitable[None]],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(_DaemonThreads())
    started.set_result(loop)
    await stop.wait()
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in others:
            task.cancel()
        await asyncio.wait(others)
    await on_close()


class _DaemonThreads(ThreadPoolExecutor):
    """Runs each call in a daemon thread.

    The loop looks names up in its executor, and a resolver that gets no reply blocks for many
    seconds. A pool's threads are waited for when the interpreter ends; these are not.
    """

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        threading.Thread(
            target=_settle, args=(future, lambda: function(*args, **kwargs)), daemon=True
        ).start()
        return future


def _settle(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001  (handed on to whoever waits)
        future.set_exception(error)
    else:
        future.set_result(result)


async def unless(cancel: threading.Event, coroutine: Coroutine[Any, Any, None]) -> bool:
    """Runs `coroutine`; False if `cancel` was set first, and then it has been cancelled.

    Raises:
        Whatever `coroutine` raises.
    """
    if cancel.is_set():
        coroutine.close()
        return False
    work = asyncio.ensure_future(coroutine)
    watch = asyncio.ensure_future(_is_set(cancel))
    try:
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        if work.cancel():
            await asyncio.wait({work})
    if work.cancelled():
        return False
    work.result()
    return True


async def _is_set(event: threading.Event) -> None:
    """Waits for another thread's event, which asyncio cannot wait for but by looking."""
    while not event.is_set():  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)
