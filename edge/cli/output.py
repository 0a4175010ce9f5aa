"""How commands print: text for a person, JSON for a program."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.streams import speaks_utf8
from skerry.edge.terminal import visible_line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.measure import Measurement

_PATHS = frozenset({"path", "source"})
_LEAST_OF_PATH = 24
_DEL_TO_C1 = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def emit(schema: str, fields: Mapping[str, Any]) -> None:
    """Prints one JSON object on a line; `schema` names its contract and version."""
    fields = {"schema": schema, **fields}
    line = json.dumps(fields, default=plain, ensure_ascii=not speaks_utf8())
    click.echo(line.translate(_DEL_TO_C1))  # JSON escapes the other control characters itself


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


def local_time(seconds: float) -> str:
    """A time since 1970 by this machine's own clock and zone, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; on a pipe, tab-separated lines with the columns as the first.

    In columns of paths, a cell that is too long for the terminal keeps its end.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(map(visible_line, row)))
        return
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, title=title or None, box=None, header_style="bold")
    for row in rows:
        cells = zip(columns, map(visible_line, row), strict=True)
        drawn.add_row(*(PathCell(cell) if name in _PATHS else Text(cell) for name, cell in cells))
    console().print(drawn)


@dataclass(frozen=True, slots=True)
class PathCell:
    """A path in a table of rich's: on one line, cut at its start, where paths are alike."""

    path: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        cut = len(self.path) - options.max_width
        yield Text(f"…{self.path[cut + 1 :]}" if cut > 0 else self.path)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        from rich.measure import Measurement

        most = min(len(self.path), options.max_width)
        return Measurement(min(_LEAST_OF_PATH, most), most)
