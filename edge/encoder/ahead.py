"""One pass of the encoder that runs beside its caller, on a thread of ONNX Runtime.

The interpreter waits at its end for what has begun: ONNX Runtime would call into it when it has
gone.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

_TO_RETURN_S = 0.02
"""In which the thread that has told of an end returns into ONNX Runtime."""


class Ahead:
    """A pass of `session` that has begun; `free` is released when it has ended.

    `result` waits for it. A session with one thread cannot do it: `start` says so.
    """

    def __init__(self, session: Any, output: str, feed: Mapping[str, Any], free: Any) -> None:
        self._session = session  # lives at least as long as the pass
        self._output = output
        self._feed = feed
        self._free = free
        self._ended = threading.Event()
        self._found: Any = None

    def start(self) -> None:
        """Raises what ONNX Runtime does where it cannot begin; then nothing has."""
        _begun.difference_update([one for one in list(_begun) if one._ended.is_set()])
        _begun.add(self)
        try:
            self._session.run_async([self._output], self._feed, self._end, None)
        except BaseException:
            _begun.discard(self)
            raise

    def _end(self, outputs: Any, _given: Any, error: str) -> None:
        """Called by ONNX Runtime, on its thread."""
        self._found = None if error else outputs[0]
        self._free.release()
        self._ended.set()

    def result(self) -> Any:
        """The output; None where the pass failed."""
        self.wait()
        return self._found

    def wait(self) -> None:
        self._ended.wait()
        _begun.discard(self)


_begun: set[Ahead] = set()


def _wait_for_all() -> None:
    waited = list(_begun)
    for one in waited:
        one.wait()
    if waited:
        time.sleep(_TO_RETURN_S)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begun.clear)
atexit.register(_wait_for_all)
