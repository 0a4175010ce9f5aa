"""Reads CSV and TSV: one table, its first row the names of the columns."""

from __future__ import annotations

import csv
import io

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse.builder import Builder

_DELIMITERS = ",;\t|"
_SAMPLE = 8192


def read_table(text: str, builder: Builder, name: str, *, delimiter: str | None = None) -> None:
    """Feeds the table to `builder`; without a `delimiter` its first line tells.

    Raises:
        DocumentError: a quoted field never ends, or is longer than the csv module allows.
    """
    delimiter = delimiter or _likely_delimiter(text)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise DocumentError(
            f"{name} is not a table: {error}", hint="check its quotes, or save it again as CSV"
        ) from error
    builder.table(rows, header=True)


def _likely_delimiter(text: str) -> str:
    """The delimiter that occurs most in the first line that is not blank."""
    first = text[:_SAMPLE].lstrip().split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count)
