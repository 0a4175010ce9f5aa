"""Progress of long work: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def _nothing(_bytes: int) -> None: ...


def _silent(_what: str, _done: float) -> None: ...


@contextmanager
def bytes_bar(what: str, *, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Gives what is told of further bytes, of `total`."""
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
def share_bar(*, quiet: bool) -> Iterator[Callable[[str, float], None]]:
    """Gives what is told (what is being done, share that is done), as exporters tell it."""
    if quiet or not sys.stderr.isatty():
        yield _silent
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from skerry.edge.cli.output import console
    from skerry.edge.terminal import visible_line

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, done: bar.update(task, description=visible_line(what), completed=done)
