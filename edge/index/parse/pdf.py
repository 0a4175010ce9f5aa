"""Reads PDF through pypdfium2: the text of each page, its lines and how high they are set.

What lines make a heading or a paragraph is left to `pdf_layout`. Pictures of text are not read.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.metadata import canonical, without_bad_date
from skerry.edge.index.parse.pdf_layout import Line, lay_out

_PDFIUM = threading.Lock()
"""PDFium is not thread-safe."""
_END_MARK = b"%%EOF"
_END_WITHIN = 2048
_PASSWORD_ERROR = 4
_MOST_CHARACTERS = 50_000_000
_LINE_END = re.compile(r"\r\n?|\n")
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")


def read_pdf(data: bytes, builder: Builder, name: str) -> tuple[dict[str, str], tuple[int, ...]]:
    """Feeds the blocks of a PDF to `builder`; gives its metadata and where its pages begin.

    Raises:
        DocumentError: it is truncated, damaged, encrypted, too long, or has no text.
    """
    if _END_MARK not in data[-_END_WITHIN:]:
        raise DocumentError(
            f"{name} is truncated: a PDF ends with %%EOF", hint="copy or download the file again"
        )
    with _PDFIUM, closing(_open(data, name)) as document:
        pages = list(_pages(document, name))
        said = _metadata(document.get_metadata_dict(skip_empty=True))
    if not any(pages):
        raise DocumentError(
            f"{name} has no text: its pages are pictures",
            hint="run text recognition on it first, for example with ocrmypdf",
        )
    return said, lay_out(pages, builder)


def _open(data: bytes, name: str) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        # PDFium's last error can be that of an earlier document: it needs a second witness.
        if error.err_code == _PASSWORD_ERROR and b"/Encrypt" in data:
            raise DocumentError(
                f"{name} is encrypted", hint="save a copy without a password"
            ) from error
        raise DocumentError(
            f"{name} is damaged or not a PDF", hint="open it and export it again"
        ) from error


def _pages(document: Any, name: str) -> Iterator[list[Line]]:
    """The lines of each page, in the order of the file."""
    import pypdfium2

    characters = 0
    for number in range(len(document)):
        try:
            with closing(document[number]) as page, closing(page.get_textpage()) as text:
                characters += text.count_chars()
                if characters > _MOST_CHARACTERS:
                    raise DocumentError(
                        f"{name} has more than {_MOST_CHARACTERS:,} characters", hint="split it"
                    )
                yield list(_lines(text))
        except pypdfium2.PdfiumError as error:
            raise DocumentError(
                f"page {number + 1} of {name} is damaged",
                hint="open the file and export it again",
            ) from error


def _lines(page: Any) -> Iterator[Line]:
    """Lines that are not blank, with the place of their first letter in points from below."""
    from pypdfium2 import raw

    codes = [raw.FPDFText_GetUnicode(page, index) for index in range(page.count_chars())]
    text = "".join(map(chr, codes))
    start = 0
    for line_end in [*_LINE_END.finditer(text), None]:
        line = text[start : line_end.start() if line_end else len(text)]
        if line.strip():
            letter = next((i for i, char in enumerate(line) if char.isalnum()), 0)
            _, bottom, _, top = page.get_charbox(start + letter, loose=True)
            yield Line(_joined_surrogates(line), top=top, height=top - bottom)
        start = line_end.end() if line_end else len(text)


def _joined_surrogates(line: str) -> str:
    """PDFium gives a character beyond the basic plane as two."""
    return line.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _metadata(info: dict[str, str]) -> dict[str, str]:
    when = _DATE.match(info.get("ModDate") or info.get("CreationDate") or "")
    day = "-".join((when[1], when[2] or "01", when[3] or "01")) if when else ""
    return without_bad_date(canonical([("title", info.get("Title", "")), ("date", day)]))
