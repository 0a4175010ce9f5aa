"""One pass of the encoder that runs beside its caller, on a thread of ONNX Runtime."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any


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
        self._session.run_async([self._output], self._feed, self._end, None)

    def _end(self, outputs: Any, _given: Any, error: str) -> None:
        """Called by ONNX Runtime, on its thread."""
        self._found = None if error else outputs[0]
        self._free.release()
        self._ended.set()

    def result(self) -> Any:
        """The output; None where the pass failed."""
        self._ended.wait()
        return self._found
