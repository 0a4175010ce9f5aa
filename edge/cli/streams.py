"""The standard streams as commands need them: there, and able to print any text."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def prepare() -> None:
    """Opens what the caller closed, and prints escapes where an encoding lacks a character."""
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            # In order, so that each takes the descriptor that is free: no database may get it.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def styled() -> bool | None:
    """False where no styles are wanted (https://no-color.org) or understood; None: see for it."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return False if plain else None


def speaks_utf8() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf8")
