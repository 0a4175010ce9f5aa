"""Reads PDF: starts `pdf_child` for each one, and gives what it prints to `pdf_layout`.

A PDF of a megabyte can unpack to gigabytes. So it is read in a process of its own, with limits: one
that does harm is refused, and what it takes the system gets back. Pictures of text are not read.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import Any

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import pdf_child
from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.metadata import canonical, without_bad_date
from skerry.edge.index.parse.pdf_layout import Line, lay_out

MEMORY_BYTES = 2**30
PROCESSOR_SECONDS = 60
MOST_CHARACTERS = 10_000_000
MOST_LINES = 500_000
_PATIENCE_SECONDS = 5 * PROCESSOR_SECONDS  # by the clock: on a busy machine, or without limits
_END_MARK = b"%%EOF"
_END_WITHIN = 2048
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")
_EXPORT = "open it and export it again"
_SPLIT = "split it, or save its text as .txt"
_FAULTS = {
    "encrypted": ("is encrypted", "save a copy without a password"),
    "damaged": ("is damaged or not a PDF", _EXPORT),
    "page": ("is damaged on page {page}", _EXPORT),
    "characters": (f"has more than {MOST_CHARACTERS:,} characters", _SPLIT),
    "lines": (f"has more than {MOST_LINES:,} lines", _SPLIT),
    "memory": (f"needs more than {MEMORY_BYTES >> 20:,} MiB of memory to be read", _SPLIT),
    "time": (f"takes more than {PROCESSOR_SECONDS} seconds to be read", _SPLIT),
    "crash": (
        f"cannot be read: it is damaged, or needs more than {MEMORY_BYTES >> 20:,} MiB of memory",
        f"{_EXPORT}, or split it",
    ),
}
"""What each fault that the child knows, and each of its ends, means to a person."""


def read_pdf(data: bytes, builder: Builder, name: str) -> tuple[dict[str, str], tuple[int, ...]]:
    """Feeds the blocks of a PDF to `builder`; gives its metadata and where its pages begin.

    Raises:
        DocumentError: it is truncated, damaged, encrypted, too much to read, or has no text.
    """
    if _END_MARK not in data[-_END_WITHIN:]:
        raise DocumentError(
            f"{name} is truncated: a PDF ends with %%EOF", hint="copy or download the file again"
        )
    *printed, said = _printed(data, name)
    pages = [_lines(page) for page in printed]
    if not any(pages):
        raise DocumentError(
            f"{name} has no text: its pages are pictures",
            hint="run text recognition on it first, for example with ocrmypdf",
        )
    return _metadata(said), lay_out(pages, builder)


def _printed(data: bytes, name: str) -> list[Any]:
    """What the child prints of the PDF: its pages, then its metadata."""
    try:
        done = subprocess.run(  # noqa: S603 -- our own file; the document comes by a pipe
            _command(name), input=data, capture_output=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _refused(name, "time") from None
    except OSError as error:
        what = f"{name} cannot be read: no process can be started for it: {error.strerror}"
        raise DocumentError(what, hint="close other programs, or save its text as .txt") from error
    if done.returncode:
        timed_out = done.returncode == -getattr(signal, "SIGXCPU", 0)
        raise _refused(name, "time" if timed_out else "crash")
    parts = [json.loads(line) for line in done.stdout.splitlines()]
    if "fault" in parts[-1]:
        raise _refused(name, parts[-1]["fault"], parts[-1]["page"])
    return parts


def _command(name: str) -> list[str]:
    """Runs the child with this Python, or with the one that `multiprocessing` was told of."""
    python = os.fsdecode(get_executable() or "")
    if not python or (getattr(sys, "frozen", False) and python == sys.executable):
        raise DocumentError(
            f"{name} cannot be read: there is no Python to read it with",
            hint="give multiprocessing.set_executable the path of one that has pypdfium2",
        )
    limits = (MEMORY_BYTES, PROCESSOR_SECONDS, MOST_CHARACTERS, MOST_LINES)
    return [python, "-P", str(Path(pdf_child.__file__)), *map(str, limits)]


def _refused(name: str, fault: str, page: int = 0) -> DocumentError:
    what, hint = _FAULTS[fault]
    return DocumentError(f"{name} {what.format(page=page)}", hint=hint)


def _lines(page: Iterable[tuple[str, float, float]]) -> list[Line]:
    return [Line(text, _finite(top), _finite(height)) for text, top, height in page]


def _finite(points: float) -> float:
    return points if math.isfinite(points) else 0.0


def _metadata(info: dict[str, str]) -> dict[str, str]:
    when = _DATE.match(info.get("ModDate") or info.get("CreationDate") or "")
    day = "-".join((when[1], when[2] or "01", when[3] or "01")) if when else ""
    return without_bad_date(canonical([("title", info.get("Title", "")), ("date", day)]))
