"""Reads Word documents through mammoth, which makes HTML of them, and the HTML reader.

Only for `skerry[docx]`, and only in a process with limits: a file of a kilobyte can unpack to
gigabytes. Of pictures their alternative texts are kept. Where no row of a table is marked as its
header, the first one is taken for it if each of its cells has a text without figures.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

import mammoth
from mammoth.documents import Table

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder
from skerry.edge.index.parse.html import read_fragment
from skerry.edge.index.parse.metadata import canonical, without_bad_date

_ENCRYPTED = b"\xd0\xcf\x11\xe0"
_PROPERTIES = "docProps/core.xml"
_SAID = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "date": "{http://purl.org/dc/terms/}modified",
}
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
"""
_FIGURE = re.compile(r"\d")
_DAMAGED = (
    *(BadZipFile, ET.ParseError, ExpatError),
    *(KeyError, ValueError, AttributeError, OSError, NotImplementedError),
)


def read_docx(data: bytes, builder: Builder, name: str) -> dict[str, str]:
    """Feeds the blocks of a Word document to `builder`; gives its title and date of change.

    Raises:
        DocumentError: it is encrypted, damaged, or no Word document.
    """
    if data.startswith(_ENCRYPTED):
        hint = "open it and save it as .docx, without a password"
        raise DocumentError(f"{name} is encrypted, or of an older Word", hint=hint)
    try:
        metadata, page = _metadata(data), _page(data)
    except _DAMAGED as error:
        hint = "open it and save it again, or save it as PDF"
        raise DocumentError(f"{name} is damaged or no Word document", hint=hint) from error
    read_fragment(page, builder, name)
    return metadata


def _page(data: bytes) -> str:
    """The document as HTML; nothing outside of it is opened."""
    converted = mammoth.convert_to_html(
        BytesIO(data),
        style_map=_STYLES,
        include_embedded_style_map=False,
        external_file_access=False,
        convert_image=_as_words,
        transform_document=mammoth.transforms.element_of_type(Table, _with_header),
    )
    return str(converted.value)


def _metadata(data: bytes) -> dict[str, str]:
    with ZipFile(BytesIO(data)) as archive:
        if _PROPERTIES not in archive.namelist():
            return {}
        root = ET.fromstring(archive.read(_PROPERTIES))  # noqa: S314 -- the process has limits
    pairs = [(key, root.findtext(tag) or "") for key, tag in _SAID.items()]
    return without_bad_date(canonical(pairs))


def _as_words(image: Any) -> list[Any]:
    return [mammoth.html.text(image.alt_text)] if image.alt_text else []


def _with_header(table: Any) -> Any:
    """The table with a header row, if its first row is like one."""
    rows = table.children
    if len(rows) < 2 or any(getattr(row, "is_header", False) for row in rows):
        return table
    cells = [_text(cell).strip() for cell in rows[0].children]
    if not all(cells) or any(map(_FIGURE.search, cells)):
        return table
    return table.copy(children=[rows[0].copy(is_header=True), *rows[1:]])


def _text(element: Any) -> str:
    value = getattr(element, "value", None)
    if isinstance(value, str):
        return value
    return "".join(map(_text, getattr(element, "children", ())))
