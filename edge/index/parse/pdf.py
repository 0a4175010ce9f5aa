"""Reads PDF: runs `pdf_child` on each one, and gives what it prints to `pdf_layout`.

Pictures of text are not read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import confined, pdf_child
from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.metadata import canonical, without_bad_date
from skerry.edge.index.parse.pdf_layout import Line, lay_out

MOST_CHARACTERS = 10_000_000
MOST_LINES = 500_000
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
}
"""What each fault that the child knows means to a person."""


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
    confined.check_python(name)
    limits = (confined.MEMORY_BYTES, confined.PROCESSOR_SECONDS, MOST_CHARACTERS, MOST_LINES)
    arguments = [str(Path(pdf_child.__file__)), *map(str, limits)]
    parts = [json.loads(line) for line in confined.run(arguments, data, name).splitlines()]
    if "fault" in parts[-1]:
        raise _refused(name, parts[-1]["fault"], parts[-1]["page"])
    return parts


def _refused(name: str, fault: str, page: int) -> DocumentError:
    if fault == "memory":
        return confined.too_large(name)
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
