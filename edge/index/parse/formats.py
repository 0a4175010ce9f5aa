"""Which formats are read, and what to do with a file of another one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import PurePath
from types import MappingProxyType

from skerry.edge.errors import DocumentError

PDF = "application/pdf"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_WORD_READER = "mammoth"
_WITH_READER = {".docx": WORD} if find_spec(_WORD_READER) else {}

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
        ".pdf": PDF,
        **_WITH_READER,
    }
)
"""Media type of each suffix that can be parsed here; suffixes are in lower case."""

_OTHERS = {
    "install skerry[docx], or save it as PDF": (".docx",),
    "open it and save it as .docx or PDF": (".doc", ".dot", ".odt", ".rtf", ".pages", ".wpd"),
    "save each sheet as CSV": (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"),
    "export it as PDF": (".pptx", ".ppt", ".pptm", ".odp", ".key", ".vsdx", ".epub", ".xps"),
    "run text recognition on it, for example with ocrmypdf, and add the PDF": (
        *(".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp", ".heic", ".svg"),
    ),
    "unpack it and add what is in it": (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar"),
    "save its text as .txt": (".eml", ".msg", ".mbox", ".json", ".jsonl", ".xml", ".yaml", ".tex"),
}
_HOW = {suffix: how for how, suffixes in _OTHERS.items() for suffix in suffixes}


def how_to_convert(name: str) -> str | None:
    """What to do with a file that cannot be read here, by its name; None for one that can be."""
    suffix = PurePath(name).suffix.lower()
    if suffix in SUPPORTED:
        return None
    return _HOW.get(suffix, f"supported are {', '.join(SUPPORTED)}")


def media_type(name: str) -> str:
    """The media type of a file, by its name.

    Raises:
        DocumentError: its format cannot be read; says how to convert it.
    """
    suffix, how = PurePath(name).suffix.lower(), how_to_convert(name)
    if how is not None:
        what = f"{name} has a format that is not supported ({suffix or 'no suffix'})"
        raise DocumentError(what, hint=how)
    return SUPPORTED[suffix]
