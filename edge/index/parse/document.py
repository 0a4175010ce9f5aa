"""The door to parsing: reads the file, chooses the reader by suffix, and checks what comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from types import MappingProxyType

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder, clean
from skerry.edge.index.parse.decode import decode
from skerry.edge.index.parse.metadata import split_front_matter
from skerry.edge.index.parse.parsed import BlockKind, Parsed

SUPPORTED: Mapping[str, str] = MappingProxyType(
    {
        ".md": "text/markdown",
        ".markdown": "text/markdown",
        ".html": "text/html",
        ".htm": "text/html",
        ".xhtml": "text/html",
        ".txt": "text/plain",
        ".text": "text/plain",
        ".rst": "text/x-rst",
        ".csv": "text/csv",
        ".tsv": "text/tab-separated-values",
        ".pdf": "application/pdf",
    }
)
"""Media type of each suffix that can be parsed; suffixes are in lower case."""

LARGE_BYTES = 128 * 2**10
"""From this size on a text has a process of its own; a smaller one can do little harm."""

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HEAD = 2048


def parse(path: Path, *, max_bytes: int = 64 * 2**20) -> Parsed:
    """Reads and parses one file.

    Raises:
        DocumentError: the file is missing, unreadable, empty, larger than `max_bytes`, of a format
            that is not supported, damaged, or without text.
    """
    if not path.is_file():
        raise DocumentError(f"{path} is not a file", hint="check the path")
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise DocumentError(
            f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    if len(data) > max_bytes:
        raise DocumentError(f"{path} is larger than {max_bytes:,} bytes", hint="split the document")
    return parse_data(data, path.name)


def parse_data(data: bytes, name: str) -> Parsed:
    """Parses a document that is already in memory; the suffix of `name` tells its format.

    A large one is parsed in a process of its own, which has limits; so is every PDF.

    Raises:
        DocumentError: as `parse`.
    """
    if len(data) < LARGE_BYTES or _media_type(name) == "application/pdf":
        return parse_here(data, name)
    from skerry.edge.index.parse import confined

    parse_large = confined.parse_text if confined.has_python() else parse_here
    return parse_large(data, name)


def parse_here(data: bytes, name: str) -> Parsed:
    """As `parse_data`, but a text in this process, whatever it takes."""
    media_type = _media_type(name)
    if not data.strip():
        raise DocumentError(
            f"{name} is empty", hint="nothing was added; remove the file or fill it"
        )
    builder = Builder()
    metadata, pages = _read(data, media_type, builder, name)
    text = builder.text()
    if not text.strip():
        raise DocumentError(
            f"{name} is empty: it has no text", hint="check that it is the right file"
        )
    return Parsed(
        text=text,
        title=metadata.get("title") or _first_heading(builder, text) or _from_name(name),
        blocks=tuple(builder.blocks),
        media_type=media_type,
        metadata=MappingProxyType(metadata),
        pages=pages,
    )


def _media_type(name: str) -> str:
    suffix = PurePath(name).suffix.lower()
    if suffix not in SUPPORTED:
        raise DocumentError(
            f"{name} has a format that is not supported ({suffix or 'no suffix'})",
            hint=f"supported are {', '.join(SUPPORTED)}",
        )
    return SUPPORTED[suffix]


def _read(
    data: bytes, media_type: str, builder: Builder, name: str
) -> tuple[dict[str, str], tuple[int, ...]]:
    """Metadata and page starts; the blocks go to `builder`. Readers are imported when needed."""
    if media_type == "application/pdf":
        from skerry.edge.index.parse.pdf import read_pdf

        return read_pdf(data, builder, name)
    if media_type == "text/html":
        from skerry.edge.index.parse.html import read_html

        return read_html(clean(decode(data, name, declared=_charset(data))), builder, name), ()
    text = clean(decode(data, name))
    if media_type in ("text/csv", "text/tab-separated-values"):
        from skerry.edge.index.parse.table import read_table

        read_table(text, builder, name, delimiter="\t" if media_type != "text/csv" else None)
        return {}, ()
    metadata, text = split_front_matter(text)
    _read_text(text, media_type, builder, name)
    return metadata, ()


def _read_text(text: str, media_type: str, builder: Builder, name: str) -> None:
    if media_type == "text/markdown":
        from skerry.edge.index.parse.markdown import read_markdown

        read_markdown(text, builder, name)
    else:
        from skerry.edge.index.parse.plain import read_plain

        read_plain(text, builder)


def _charset(data: bytes) -> str:
    """The encoding that a page declares near its beginning; empty without one."""
    found = _CHARSET.search(data[:_HEAD])
    return found[1].decode("ascii", errors="ignore") if found else ""


def _first_heading(builder: Builder, text: str) -> str:
    """The first heading of the highest level used."""
    headings = [block for block in builder.blocks if block.kind is BlockKind.HEADING]
    if not headings:
        return ""
    top = min(headings, key=lambda block: block.level)
    return text[top.start : top.end][:200]


def _from_name(name: str) -> str:
    """`opening-hours.csv` as "Opening hours"; a first word with capitals of its own keeps them."""
    words = PurePath(name).stem.replace("_", " ").replace("-", " ").split()
    if words and words[0].islower():
        words[0] = words[0].capitalize()
    return " ".join(words) or name
