"""Ctrl-C and SIGTERM while llama.cpp runs on the main thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Lets SIGINT and SIGTERM take effect at the end of the block, where Python handles them.

    Until then llama.cpp calls back into Python to log, and what is raised in a callback is lost.
    Other threads are not interrupted anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    waiting = {one: handler for one, handler in handlers.items() if callable(handler)}
    came: list[tuple[int, FrameType | None]] = []
    for one in waiting:
        signal.signal(one, lambda *signalled: came.append(signalled))
    try:
        yield
    finally:
        for one, handler in waiting.items():
            signal.signal(one, handler)
    if came:
        waiting[signal.Signals(came[0][0])](*came[0])
