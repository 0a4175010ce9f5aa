"""Reads one PDF from standard input, as a process of its own that has little memory and time.

PDFium is C++ and is given what anybody made: what unpacks without end, or trips it, ends this
process and no other. `pdf` runs this file as a script, so it imports nothing of Skerry's. It prints
lines of JSON: of each page a list of lines [text, top, height] in points, and at last the metadata;
or, where the PDF cannot be read, {"fault": which, "page": number}.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

_PASSWORD_ERROR = 4
_LINE_END = re.compile(r"\r\n?|\n")


class Fault(Exception):
    """Why the PDF cannot be read: a word that `pdf` knows, and the page, from 1."""

    def __init__(self, fault: str, page: int = 0) -> None:
        super().__init__(fault)
        self.fault = fault
        self.page = page


@dataclass(slots=True)
class Budget:
    """What the text of one PDF may still have."""

    characters: int
    lines: int

    def spend(self, *, characters: int = 0, lines: int = 0) -> None:
        """Raises Fault when there is nothing left."""
        self.characters -= characters
        self.lines -= lines
        if self.characters < 0:
            raise Fault("characters")
        if self.lines < 0:
            raise Fault("lines")


def confine(memory_bytes: int, processor_seconds: int) -> None:
    """Limits this process, where the system can; it may write no file and leaves no core."""
    try:
        import resource
    except ImportError:  # Windows: only the time is limited, by the parent
        return
    for limit, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # the parent's own limit is lower still
            hard = resource.getrlimit(limit)[1]
            resource.setrlimit(limit, (most, hard))


def read(data: bytes, budget: Budget) -> Iterator[Any]:
    """What is printed of a PDF, line by line.

    Raises:
        Fault: it cannot be read.
    """
    with closing(_opened(data)) as document:
        for number in range(len(document)):
            yield _page(document, number, budget)
        yield document.get_metadata_dict(skip_empty=True)


def _opened(data: bytes) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        # PDFium's last error can be that of an earlier document: it needs a second witness.
        encrypted = error.err_code == _PASSWORD_ERROR and b"/Encrypt" in data
        raise Fault("encrypted" if encrypted else "damaged") from error


def _page(document: Any, number: int, budget: Budget) -> list[tuple[str, float, float]]:
    import pypdfium2

    try:
        with closing(document[number]) as page, closing(page.get_textpage()) as text:
            budget.spend(characters=text.count_chars())
            lines = []
            for line in _lines(text):
                budget.spend(lines=1)
                lines.append(line)
            return lines
    except pypdfium2.PdfiumError as error:
        raise Fault("page", number + 1) from error


def _lines(page: Any) -> Iterator[tuple[str, float, float]]:
    """Lines that are not blank, with the place of their first letter in points from below."""
    from pypdfium2 import raw

    handle = page.raw
    codes = [raw.FPDFText_GetUnicode(handle, index) for index in range(page.count_chars())]
    text = "".join(map(chr, codes))
    start = 0
    for line_end in [*_LINE_END.finditer(text), None]:
        line = text[start : line_end.start() if line_end else len(text)]
        if line.strip():
            letter = next((i for i, char in enumerate(line) if char.isalnum()), 0)
            _, bottom, _, top = page.get_charbox(start + letter, loose=True)
            yield _joined_surrogates(line), top, top - bottom
        start = line_end.end() if line_end else len(text)


def _joined_surrogates(line: str) -> str:
    """PDFium gives a character beyond the basic plane as two."""
    return line.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _say(part: object) -> None:
    sys.stdout.write(f"{json.dumps(part)}\n")


def main(source: BinaryIO, memory_bytes: int, processor_seconds: int, budget: Budget) -> None:
    confine(memory_bytes, processor_seconds)
    try:
        for part in read(source.read(), budget):
            _say(part)
    except Fault as fault:
        _say({"fault": fault.fault, "page": fault.page})
    except MemoryError:
        _say({"fault": "memory", "page": 0})


if __name__ == "__main__":
    memory, seconds, most_characters, most_lines = map(int, sys.argv[1:])
    main(sys.stdin.buffer, memory, seconds, Budget(most_characters, most_lines))
