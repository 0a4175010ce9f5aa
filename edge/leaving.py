"""What the interpreter waits for when it ends: threads that are in the native code of a runtime.

A daemon thread that comes back from native code while the interpreter ends is ended there by
CPython, which aborts the process where C++ or Rust called. So requests that are being worked on
are cancelled and waited for, and none begins after that. Threads that are no daemons have been
waited for by then.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 10.0
"""From when on the interpreter waits no longer: somebody may be asked to approve something."""


class _Work:
    """Who is at work now, by thread, and what cancels it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """In a child that was forked, the parent's threads are not there."""
        self.changed = threading.Condition()
        self.cancels: dict[int, threading.Event | None] = {}
        self.ending = False

    def enter(self, cancel: threading.Event | None) -> None:
        with self.changed:
            ended = self.ending and threading.current_thread() is not threading.main_thread()
            if not ended:
                self.cancels[threading.get_ident()] = cancel
        while ended:  # a daemon thread, which ends with the process
            time.sleep(3600)

    def leave(self) -> None:
        with self.changed:
            self.cancels.pop(threading.get_ident(), None)
            self.changed.notify_all()

    def end(self) -> None:
        with self.changed:
            self.ending = True
            for cancel in filter(None, self.cancels.values()):
                cancel.set()
            self.changed.wait_for(lambda: not self.cancels, PATIENCE_S)


_work = _Work()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_work.forget)
weakref.finalize(_work, int).atexit = False
# The first finalizer registers the end of all with atexit, which calls the last one registered
# first: so models, which finalizers close, are there until nobody is at work.
atexit.register(_work.end)


@contextmanager
def working(cancel: threading.Event | None = None) -> Iterator[None]:
    """The interpreter does not end within this, by a thread that is a daemon; `cancel` is set when
    it is about to. A daemon thread that comes when it is ending does not go on."""
    if threading.get_ident() in _work.cancels:  # within another one
        yield
        return
    _work.enter(cancel)
    try:
        yield
    finally:
        _work.leave()


def worked(items: Generator[T, None, None], cancel: threading.Event) -> Generator[T, None, None]:
    """The items, each made while the interpreter does not end; closing this closes `items`."""
    try:
        while True:
            with working(cancel):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        with working(cancel):
            items.close()
