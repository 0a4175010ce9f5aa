"""How signals end a command, whatever it is doing: in order if it can, at once if it cannot.

A computation that hangs, in llama.cpp say, hears no signal and is waited for when a model is
closed. So signals are seen here as well, by a thread that gives the command some seconds.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

PATIENCE_S = 10.0
"""From the first signal until the process is ended; from the second it is `_SECOND_S`."""

_SECOND_S = 1.0
_ENDING = frozenset({signal.SIGINT, signal.SIGTERM})


class Terminated(KeyboardInterrupt):
    """SIGTERM: the same as Ctrl-C, with an exit code of its own."""


def watch() -> None:
    """Lets SIGTERM end the command as Ctrl-C does, and either end one that does not answer."""
    signal.signal(signal.SIGTERM, _terminate)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(reader,), name="skerry-signals", daemon=True).start()


def signal_of(error: BaseException) -> int:
    """The signal that `error` came of; 0 for none.

    A library's native part that a signal interrupts while it is imported (ONNX Runtime's, say)
    makes an ImportError of it.
    """
    one: BaseException | None = error
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        if isinstance(one, KeyboardInterrupt):
            return signal.SIGTERM if isinstance(one, Terminated) else signal.SIGINT
        seen.add(id(one))
        one = one.__cause__ or one.__context__
    return 0


def leave_in(seconds: float, number: int) -> None:
    """Ends the process so late that it should have ended by itself; `number` is the signal's."""

    def leave() -> None:
        time.sleep(seconds)
        leave_now(number)

    threading.Thread(target=leave, name="skerry-leave", daemon=True).start()


def leave_now(number: int) -> NoReturn:
    """Ends the process without waiting for threads; the exit code says which signal."""
    with suppress(OSError):
        os.write(2, b"ended at once: something did not stop in time\n")
    os._exit(code_of(number))


def code_of(number: int) -> int:
    """The exit code of a command that a signal ended, as shells have it."""
    return 128 + number


def _terminate(_: int, __: FrameType | None) -> NoReturn:
    raise Terminated


def _wait(reader: int) -> None:
    number = _next(reader, None)
    if _next(reader, PATIENCE_S):
        time.sleep(_SECOND_S)
    leave_now(number)


def _next(reader: int, seconds: float | None) -> int:
    """The next signal that ends; 0 for none in this time."""
    while select.select([reader], [], [], seconds)[0]:
        number = os.read(reader, 1)[0]
        if number in _ENDING:
            return number
    return 0
