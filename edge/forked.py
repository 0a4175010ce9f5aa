"""What a forked process has of its parent's: objects whose threads did not come along."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

_holders: WeakKeyDictionary[Any, Callable[[], Iterable[object]]] = WeakKeyDictionary()


def never_free_in_child(holder: Any, held: Callable[[], Iterable[object]]) -> None:
    """Keeps a child from freeing what `held` gives at the fork; `holder` is not kept alive.

    ONNX Runtime waits for its threads when a session is freed, and in a child for ever; SQLite
    wants no connection closed there (https://sqlite.org/howtocorrupt.html, 2.6).
    """
    _holders[holder] = held


def _in_child() -> None:
    for held in list(_holders.values()):
        for one in held():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
