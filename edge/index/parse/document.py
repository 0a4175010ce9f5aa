"""The door to parsing: reads the file, chooses the reader by suffix, and checks what comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from types import MappingProxyType

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder, clean
from skerry.edge.index.parse.decode import decode
from skerry.edge.index.parse.formats import PDF, WORD
from skerry.edge.index.parse.formats import media_type as media_type_of
from skerry.edge.index.parse.metadata import canonical, misspelt, split_front_matter
from skerry.edge.index.parse.parsed import BlockKind, Parsed

LARGE_BYTES = 128 * 2**10
"""From this size on a text has a process of its own; a smaller one can do little harm."""

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HEAD = 2048


@dataclass(frozen=True, slots=True)
class _Said:
    """What a document says of itself, as the fields of `Parsed`."""

    metadata: dict[str, str] = field(default_factory=dict)
    pages: tuple[int, ...] = ()
    misspelt: dict[str, str] = field(default_factory=dict)


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

    A large one is parsed in a process of its own, which has limits; so is every PDF and every Word
    document.

    Raises:
        DocumentError: as `parse`.
    """
    media_type = media_type_of(name)
    if media_type == PDF or (media_type != WORD and len(data) < LARGE_BYTES):
        return parse_here(data, name)
    from skerry.edge.index.parse import confined

    if confined.has_python() or media_type == WORD:
        return confined.parse_text(data, name)
    return parse_here(data, name)


def parse_here(data: bytes, name: str) -> Parsed:
    """As `parse_data`, but whatever is no PDF in this process, whatever it takes."""
    media_type = media_type_of(name)
    if not data.strip():
        raise DocumentError(
            f"{name} is empty", hint="nothing was added; remove the file or fill it"
        )
    builder = Builder()
    said = _read(data, media_type, builder, name)
    text = builder.text()
    if not text.strip():
        raise DocumentError(
            f"{name} is empty: it has no text", hint="check that it is the right file"
        )
    return Parsed(
        text=text,
        title=said.metadata.get("title") or _first_heading(builder, text) or _from_name(name),
        blocks=tuple(builder.blocks),
        media_type=media_type,
        metadata=MappingProxyType(said.metadata),
        pages=said.pages,
        misspelt=MappingProxyType(said.misspelt),
    )


def _read(data: bytes, media_type: str, builder: Builder, name: str) -> _Said:
    """The blocks go to `builder`. Readers are imported when needed."""
    if media_type == WORD:
        from skerry.edge.index.parse.docx import read_docx

        return _Said(read_docx(data, builder, name))
    if media_type == PDF:
        from skerry.edge.index.parse.pdf import read_pdf

        return _Said(*read_pdf(data, builder, name))
    if media_type == "text/html":
        from skerry.edge.index.parse.html import read_html

        page = clean(decode(data, name, declared=_charset(data)))
        return _Said(read_html(page, builder, name))
    text = clean(decode(data, name))
    if media_type in ("text/csv", "text/tab-separated-values"):
        from skerry.edge.index.parse.table import read_table

        read_table(text, builder, name, delimiter="\t" if media_type != "text/csv" else None)
        return _Said()
    pairs, text = split_front_matter(text)
    _read_text(text, media_type, builder, name)
    return _Said(canonical(pairs), misspelt=misspelt(key for key, _ in pairs))


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
