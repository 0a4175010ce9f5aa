"""Keeps what tools print to themselves, while ours is still shown.

Converters print to both standard streams, past Python: a command with `--json` promises one object,
and a pipe silence.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def hushed() -> Iterator[TextIO]:
    """Standard output and error go nowhere; gives where standard error was, for a progress bar.

    With SKERRY_DEBUG set they stay as they are.
    """
    if os.environ.get("SKERRY_DEBUG"):
        yield sys.stderr
        return
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  a device, no file
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        with os.fdopen(os.dup(kept[1]), "w", encoding="utf-8", errors="replace") as shown:
            yield shown
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()  # what a tool printed and Python still holds
        for number, saved in enumerate(kept, 1):
            os.dup2(saved, number)
            os.close(saved)
