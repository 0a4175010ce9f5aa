"""How `skerry index` shows reports, documents, hits and progress to a person."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.edge.cli.output import hanging, table
from skerry.edge.terminal import visible_line

if TYPE_CHECKING:
    from skerry.edge.index import BelowFloor, Document, Failure, Hit, IngestReport, Progress

_MOST_LISTED = 20
_UNDATED = "a document without a date of its own is in force from when it was added"
_ADDING_SECONDS = 3600.0  # to read and encode one document, at most


def show_report(report: IngestReport) -> None:
    """Says what an `add` did, and which documents it could not take."""
    skipped = f", {report.skipped:,} skipped" if report.skipped else ""
    click.echo(
        f"{len(report.added)} added, {len(report.updated)} updated, "
        f"{len(report.unchanged)} unchanged, {len(report.failed)} failed{skipped}: "
        f"{report.chunks:,} chunks in {report.seconds:.1f} s"
    )
    if report.labelled:
        click.echo(
            f"{len(report.labelled)} kept the access labels that the same content has elsewhere; "
            "--no-labels takes them away"
        )
    if report.dated:
        click.echo(
            f"{len(report.dated)} kept the expiry or beginning that was declared of the same "
            "content elsewhere; --no-expires and --valid-from say otherwise"
        )
    _show_out_of_force(report)
    if report.links:
        click.echo("links out of the folder, not followed without --follow-links:", err=True)
        show_list(report.links)
    if report.unread:
        _show_unread(report.unread)
    for warning in report.warnings:
        _show_told(f"{warning.source}: {warning.what}", warning.hint)
    for failure in report.failed:
        _show_told(_failure(failure), failure.hint)


def _show_out_of_force(report: IngestReport) -> None:
    """Which documents are not served: by a newer version, or by their own date."""
    if report.superseded:
        click.echo(f"{len(report.superseded)} superseded, and kept for questions as of their time:")
        _echo_list(
            [
                f"{_version(it.source, it.version)}, by {_version(it.by, it.by_version)}"
                for it in report.superseded
            ]
        )
    if report.expired:
        click.echo(f"{len(report.expired)} expired already, and not served:")
        _echo_list(report.expired)


def _version(source: str, version: str) -> str:
    return f"{source} (version {version})" if version else source


def _echo_list(lines: Sequence[str]) -> None:
    for line in lines[:_MOST_LISTED]:
        click.echo(f"  {visible_line(line)}")
    if len(lines) > _MOST_LISTED:
        click.echo(f"  and {len(lines) - _MOST_LISTED:,} more")


def _show_told(what: str, hint: str) -> None:
    click.echo(f"  {visible_line(what)}", err=True)
    if hint:
        click.echo(f"    {visible_line(hint)}", err=True)


def _show_unread(unread: Sequence[Failure]) -> None:
    """What was skipped, by suffix: how many, what to do with them, and which they are."""
    click.echo(f"skipped {len(unread):,}:", err=True)
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in unread:
        suffix = Path(one.source).suffix.lower() or "without a suffix"
        kinds.setdefault((suffix, one.hint), []).append(one.source)
    for (suffix, hint), sources in sorted(kinds.items())[:_MOST_LISTED]:
        click.echo(visible_line(f" {len(sources):,} {suffix}: {hint}"), err=True)
        show_list(sources)
    if len(kinds) > _MOST_LISTED:
        click.echo(f" and {len(kinds) - _MOST_LISTED:,} more formats", err=True)


def show_list(names: Sequence[str]) -> None:
    """Prints names on standard error, and of very many how many more there are."""
    for name in names[:_MOST_LISTED]:
        click.echo(f"  {visible_line(name)}", err=True)
    if len(names) > _MOST_LISTED:
        click.echo(f"  and {len(names) - _MOST_LISTED:,} more", err=True)


def _failure(failure: Failure) -> str:
    """What happened, with the whole path said once."""
    if failure.source in failure.what:
        return failure.what
    name = Path(failure.source).name
    if failure.what.startswith(f"{name} "):
        return f"'{failure.source}'{failure.what.removeprefix(name)}"
    return f"{failure.source}: {failure.what}"


@contextmanager
def bar(what: str, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A progress bar on a terminal; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from skerry.edge.cli.output import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[source]}", markup=False),
    )
    with Progress(*columns, console=console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None, source="")
        yield lambda step: shown.update(
            task, completed=step.done + step.part, total=step.total, source=_at_work(step)
        )


def _at_work(step: Progress) -> str:
    name = visible_line(Path(step.source).name)[:40]
    return f"{name} {math.floor(100 * step.part)} %" if step.part else name


def show_documents(documents: Sequence[Document]) -> None:
    """A table of documents; labels, domains and validity where any document has them."""
    columns: dict[str, Callable[[Document], str]] = {
        "id": lambda it: str(it.id),
        "title": lambda it: it.title,
        "version": lambda it: it.version,
        "kind": lambda it: it.kind,
        "state": _state,
        "chunks": lambda it: str(it.chunks),
        "source": lambda it: it.source,
    }
    more: dict[str, Callable[[Document], str]] = {
        "labels": lambda it: ", ".join(sorted(it.labels)),
        "domain": lambda it: it.domain,
        "valid": _valid,
    }
    columns |= {name: cell for name, cell in more.items() if any(map(cell, documents))}
    table("", tuple(columns), ([cell(it) for cell in columns.values()] for it in documents))


def _state(document: Document) -> str:
    now = time.time()
    if document.superseded_at is not None and document.superseded_at <= now:
        return "superseded"
    if document.expires_at is not None and document.expires_at <= now:
        return "expired"
    return "in force" if document.valid_from <= now else "not yet in force"


def _valid(document: Document) -> str:
    """The days between which a document is valid; empty if it said nothing of them.

    One that had expired when it was added, and names no beginning, has none to show.
    """
    ends = None if document.expires_at is None else f"to {_day(document.expires_at - 1)}"
    if document.expires_at is not None and document.expires_at <= document.valid_from:
        return ends or ""
    begins = f"from {_day(document.valid_from)}"
    if ends is None:
        return "" if _begins_when_added(document) else begins
    return f"{begins} {ends}"


def _begins_when_added(document: Document) -> bool:
    """Whether a document is in force from when it was added, for want of another beginning.

    One that is stated as a day is a midnight.
    """
    from skerry.edge.index.days import is_midnight

    before = document.added_at - document.valid_from
    return 0 <= before < _ADDING_SECONDS and not is_midnight(document.valid_from)


def _day(seconds: float) -> str:
    from skerry.edge.index.days import day_of

    return day_of(seconds)


def show_hits(hits: Sequence[Hit], below: BelowFloor | None, as_of: float | None = None) -> None:
    """The hits of a search, best first, or what a lower floor would find.

    `as_of` are the Unix seconds that were asked about, None for now.
    """
    for hit in hits:
        place = " › ".join((hit.chunk.title, *hit.chunk.heading[1:]))
        head = visible_line(f"{place}  ({hit.chunk.source})")
        click.secho(hanging(f"{hit.score:.2f}  {head}", 6), bold=True)
        said = visible_line(" ".join(hit.chunk.text.split())[:300])
        click.echo(hanging(f"      {said}", 6))
    if not hits:
        click.echo(f"nothing found{_below(below)}")
    if not hits:
        tell_of_day(as_of)


def tell_of_day(as_of: float | None) -> None:
    """Says, where nothing was found of a day that was asked about, why that may be."""
    if as_of is not None:
        click.echo(f"(of what was in force on {_day(as_of)}; {_UNDATED})", err=True)


def _below(below: BelowFloor | None) -> str:
    """What a lower floor would find, in words."""
    if below is None:
        return ""
    hits = "1 hit is" if below.hits == 1 else f"{below.hits} hits are"
    shows = "it" if below.hits == 1 else "them"
    return (
        f": {hits} below the floor of {below.floor:g}, the best at {below.best:.2f}; "
        f"--floor {below.lower:g} shows {shows}"
    )
