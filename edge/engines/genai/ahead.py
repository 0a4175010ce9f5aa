"""Runs a stream ahead of its reader, so that a slow reader keeps no slot from others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from skerry.edge.engines.base import Piece


def run_ahead(stream: Iterator[Piece], abandoned: threading.Event) -> Iterator[Piece]:
    """The pieces of `stream`, made in a thread that starts with the first `next`.

    The reader gets what the stream raises. When the reader goes away, `abandoned` is set, at which
    the stream must end, and the thread is waited for.
    """
    made: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_pump, args=(stream, made), name="skerry-genai")
    thread.start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()


def _pump(stream: Iterator[Piece], made: queue.SimpleQueue[Piece | BaseException | None]) -> None:
    try:
        for piece in stream:
            made.put(piece)
    except BaseException as error:  # noqa: BLE001  (raised again where it is read)
        made.put(error)
    else:
        made.put(None)
