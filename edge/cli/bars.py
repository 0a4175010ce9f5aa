"""Progress of long work: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


def _nothing(_bytes: int) -> None: ...


def _silent(_what: str, _done: float) -> None: ...


@contextmanager
def bytes_bar(what: str, *, total: int | None, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Gives what is told of further bytes, of `total`; None where that is not known."""
    if quiet or not sys.stderr.isatty():
        yield _nothing
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    from skerry.edge.cli.output import console

    columns = (TextColumn(what), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda further: bar.update(task, advance=further)


@contextmanager
def tools_bar(*, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Gives what is told (what is being done, share that is done), as exporters tell it. What
    tools print meanwhile is not shown."""
    from skerry.edge.cli.hushed import hushed

    shown = sys.stderr.isatty() and not quiet
    with hushed() as stream:
        if not shown:
            yield _silent
            return
        with _shares(stream) as told:
            yield told


@contextmanager
def _shares(stream: TextIO) -> Iterator[Callable[[str, float], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from skerry.edge.terminal import visible_line

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    console = Console(file=stream, highlight=False, force_terminal=True)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, done: bar.update(task, description=visible_line(what), completed=done)
