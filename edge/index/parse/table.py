"""Reads CSV and TSV: one table, its first row the names of the columns."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder

_DELIMITERS = ",;\t|"
_SAMPLE = 8192
_MOST_CELLS = 2_000_000
_CSV = threading.Lock()
"""Held while the csv module, of which a process has one, takes cells of any length."""


def read_table(text: str, builder: Builder, name: str, *, delimiter: str | None = None) -> None:
    """Feeds the table to `builder`; without a `delimiter` its first line tells.

    Raises:
        DocumentError: a quoted field never ends, or there are more than 2,000,000 cells.
    """
    try:
        with _cells_of(len(text)):
            rows = list(_rows(text, delimiter or _likely_delimiter(text), name))
    except csv.Error as error:
        raise DocumentError(
            f"{name} is not a table: {error}", hint="check its quotes, or save it again as CSV"
        ) from error
    builder.table(rows, header=True)


@contextmanager
def _cells_of(characters: int) -> Iterator[None]:
    """Lets a cell have so many characters, which csv would refuse from 131,072 on."""
    with _CSV:
        before = csv.field_size_limit(max(characters, csv.field_size_limit()))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _rows(text: str, delimiter: str, name: str) -> Iterator[list[str]]:
    cells = 0
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
        cells += len(row)
        if cells > _MOST_CELLS:
            raise DocumentError(f"{name} has more than {_MOST_CELLS:,} cells", hint="split it")
        yield row


def _likely_delimiter(text: str) -> str:
    """The delimiter that occurs most in the first line that is not blank."""
    first = text[:_SAMPLE].lstrip().split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count)
