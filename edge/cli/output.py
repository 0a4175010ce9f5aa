"""How commands print: text for a person, JSON for a program."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
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
    from rich.table import Table

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

    In columns of paths, a cell that is too long for the terminal keeps its end. Where the terminal
    is too narrow for the words of all columns, each row is a few lines of its own.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(map(visible_line, row)))
        return
    shown = [tuple(map(visible_line, row)) for row in rows]
    wide = _drawn(title, columns, shown)
    screen = console()
    if screen.measure(wide, options=screen.options.update(max_width=10_000)).minimum > screen.width:
        _print_records(title, columns, shown)
    else:
        screen.print(wide)


def _drawn(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*columns, title=title or None, box=None, header_style="bold")
    for row in rows:
        cells = zip(columns, row, strict=True)
        drawn.add_row(*(PathCell(cell) if name in _PATHS else Text(cell) for name, cell in cells))
    return drawn


def _print_records(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first two cells of a row, and under them the others with their names."""
    if title:
        click.secho(title, bold=True)
    for row in rows:
        click.secho(hanging("  ".join(filter(None, row[:2])), 2), bold=True)
        named = zip(columns[2:], row[2:], strict=True)
        rest = " · ".join(
            cell if cell == name else f"{name} {cell}" for name, cell in named if cell
        )
        if rest:
            click.echo(hanging(f"  {rest}", 2))


def hanging(text: str, indent: int) -> str:
    """A line, broken between words where the terminal is narrower; the further lines are indented.

    As it is where nobody looks: on a pipe.
    """
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    further = " " * min(indent, width // 3)
    lead = len(text) - len(text.lstrip())
    return textwrap.fill(
        text.lstrip(),
        width,
        initial_indent=" " * lead,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
    )


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
