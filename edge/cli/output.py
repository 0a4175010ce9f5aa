"""How commands print: text for a person, JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def emit(schema: str, fields: Mapping[str, Any]) -> None:
    """Prints one JSON object on a line; `schema` names its contract and version."""
    click.echo(json.dumps({"schema": schema, **fields}, default=plain, ensure_ascii=False))


def plain(value: object) -> object:
    """A value that JSON has no word for, as one that it has."""
    from dataclasses import asdict, is_dataclass
    from pathlib import Path

    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; on a pipe, tab-separated lines with the columns as the first."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(row))
        return
    from rich.table import Table

    drawn = Table(*columns, title=title or None, box=None, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    console().print(drawn)
