"""`skerry index`: the documents that answers come from."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.options import json_option, make_runtime, option, settings
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.types import GivenPath
from skerry.edge.errors import InputError
from skerry.edge.terminal import visible_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from skerry.edge.index import BelowFloor, Document, Event, Hit, IngestReport, Progress

SOME_FAILED = 5

Given = TypeVar("Given")


@click.group()
def index() -> None:
    """Manage the documents that answers come from."""


@index.command()
@click.argument("paths", nargs=-1, required=True, type=GivenPath())
@settings("index")
@option("--title", help="Title; default: the document's own.")
@option("--version", help="Version; default: the document's own.")
@option("--valid-from", type=click.DateTime(), help="In force from (UTC).")
@option("--expires", type=click.DateTime(), help="Never served after (UTC).")
@option("--no-expires", is_flag=True, help="Take an earlier --expires back.")
@option("--label", "labels", multiple=True, help="Access label; may be given again.")
@option("--no-labels", is_flag=True, help="Remove the labels that were declared or kept.")
@option("--domain", help="Domain, to search within.")
@json_option
def add(
    paths: tuple[Path, ...],
    title: str | None,
    version: str | None,
    valid_from: datetime | None,
    expires: datetime | None,
    no_expires: bool,
    labels: tuple[str, ...],
    no_labels: bool,
    domain: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Add files and folders. Unchanged files cost nothing; changed ones supersede the old.

    What was declared of a file before goes on holding: its labels, title, domain and expiry, and,
    until its content changes, its version and beginning. An empty value takes it back, such as
    --title "".

    Exit code 5 when some could not be taken; the others are in.
    """
    from skerry.edge.index import Metadata

    metadata = Metadata(
        title=title,
        version=version,
        valid_from=_seconds(valid_from),
        expires_at=_either(_seconds(expires), math.inf if no_expires else None, "expires"),
        labels=_either(frozenset(labels) or None, frozenset() if no_labels else None, "labels"),
        domain=domain,
    )
    with make_runtime(given) as runtime, _bar("indexing", quiet=as_json) as progress:
        report = runtime.index.add(paths, metadata=metadata, progress=progress)
    _finish(report, as_json=as_json)


@index.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings("index")
@json_option
def ingest(file: Path, as_json: bool, **given: Any) -> None:
    """Take fluid records from FILE, one JSON object a line (- is standard input).

    \b
    {"source": "rota", "key": "2026-11-23", "text": "On call: Dr Lund", "ttl_seconds": 86400}
    """
    with make_runtime(given) as runtime:
        report = runtime.index.ingest(_events(file))
    _finish(report, as_json=as_json)


@index.command("ls")
@settings("index")
@option("--all", "everything", is_flag=True, help="Also superseded, expired, not yet in force.")
@json_option
def list_(everything: bool, as_json: bool, **given: Any) -> None:
    """List the documents in force."""
    with make_runtime(given) as runtime:
        documents = runtime.index.documents(include_superseded=everything)
    if as_json:
        emit("skerry.index.ls/1", {"documents": documents})
        return
    columns = ("id", "title", "version", "kind", "state", "chunks", "source")
    table("", columns, (_document_row(document) for document in documents))


@index.command()
@click.argument("query")
@settings("index", "labels", "domain")
@option(
    "--floor",
    "similarity_floor",
    type=click.FloatRange(-1, 1),
    envvar="SKERRY_SIMILARITY_FLOOR",
    help="Least cosine of a hit, unless it has the very words; default: the index's own.",
)
@option("--limit", default=6, show_default=True, help="Most hits.")
@option("--as-of", type=click.DateTime(), help="What was in force then (UTC).")
@json_option
def search(query: str, limit: int, as_of: datetime | None, as_json: bool, **given: Any) -> None:
    """Search the documents, as a question would."""
    from skerry.edge.index import Query

    with make_runtime(given) as runtime:
        wanted = runtime.parts.settings
        asked = Query(
            query,
            limit=limit,
            labels=wanted.labels,
            domain=wanted.domain,
            as_of=_seconds(as_of),
            floor=wanted.similarity_floor,
        )
        hits = runtime.index.search(asked)
        below = None if hits else runtime.index.below_floor(asked)
    if as_json:
        emit("skerry.index.search/1", {"hits": hits, "below_floor": below})
        return
    for hit in hits:
        _print_hit(hit)
    if not hits:
        click.echo(f"nothing found{_below(below)}")


@index.command()
@click.argument("document")
@settings("index")
@json_option
def rm(document: str, as_json: bool, **given: Any) -> None:
    """Remove a document by id or source, with all its versions."""
    with make_runtime(given) as runtime:
        removed = runtime.index.remove(int(document) if document.isdigit() else document)
    if not removed:
        what = f"no document '{visible_line(document)}'"
        raise InputError(what, hint="`skerry index ls` lists them")
    if as_json:
        emit("skerry.index.rm/1", {"removed": removed})
    else:
        click.echo(f"removed {removed} document(s)")


@index.command()
@settings("index")
@json_option
def verify(as_json: bool, **given: Any) -> None:
    """Check the file: integrity, full text, vectors, digests."""
    with make_runtime(given) as runtime:
        report = runtime.index.verify()
    if as_json:
        emit("skerry.index.verify/1", {"ok": not report.problems, "problems": report.problems})
    else:
        problems = "\n".join(map(visible_line, report.problems))
        click.echo(problems or f"sound: {report.chunks:,} chunks")
    if report.problems:
        sys.exit(SOME_FAILED)


@index.command()
@settings("index")
@json_option
def reembed(as_json: bool, **given: Any) -> None:
    """Make every vector anew with this version's encoder. Can be interrupted and goes on."""
    from skerry.edge.index import reembed as encode_again

    with make_runtime(given) as runtime, _bar("re-embedding", quiet=as_json) as progress:
        chunks = encode_again(runtime.parts.settings.index, runtime.parts.encoder, progress)
    if as_json:
        emit("skerry.index.reembed/1", {"chunks": chunks})
    else:
        click.echo(f"{chunks:,} chunks have new vectors")


def _either(given: Given | None, nothing: Given | None, name: str) -> Given | None:
    """What is declared, or that there is `nothing`; None if neither was said."""
    if given is not None and nothing is not None:
        raise click.UsageError(f"--no-{name} contradicts the {name} that are given.")
    return nothing if given is None else given


def _finish(report: IngestReport, *, as_json: bool) -> None:
    if as_json:
        emit("skerry.index.add/1", {"report": report})
    else:
        show_report(report)
    if report.failed:
        sys.exit(SOME_FAILED)


def show_report(report: IngestReport) -> None:
    """Says what an `add` did, and which documents it could not take."""
    click.echo(
        f"{len(report.added)} added, {len(report.updated)} updated, "
        f"{len(report.unchanged)} unchanged, {len(report.failed)} failed: "
        f"{report.chunks:,} chunks in {report.seconds:.1f} s"
    )
    if report.labelled:
        click.echo(
            f"{len(report.labelled)} kept the access labels that the same content has elsewhere; "
            "--no-labels takes them away"
        )
    for failure in report.failed:
        click.echo(f"  {visible_line(failure.source)}: {visible_line(failure.what)}", err=True)
        if failure.hint:
            click.echo(f"    {visible_line(failure.hint)}", err=True)


@contextmanager
def _bar(what: str, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
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
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, source="")
        yield lambda step: bar.update(
            task,
            completed=step.done,
            total=step.total,
            source=visible_line(Path(step.source).name)[:40],
        )


def _events(file: Path) -> Iterator[Event]:
    from skerry.edge.index import Event

    with click.open_file(str(file), encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
                yield Event(**{**fields, "labels": _labels(fields.get("labels"))})
            except (ValueError, TypeError) as error:
                raise InputError(
                    f"{file}, line {number}: {error}", hint="one JSON object a line; see --help"
                ) from None


def _labels(found: object) -> frozenset[str] | None:
    """The labels of a record, None if it names none; raises ValueError if they are no list."""
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise ValueError(f"labels are a list of texts, not {json.dumps(found)}")
    return frozenset(found)


def _document_row(document: Document) -> tuple[str, ...]:
    return (
        str(document.id),
        document.title,
        document.version,
        document.kind,
        _state(document),
        str(document.chunks),
        document.source,
    )


def _state(document: Document) -> str:
    now = time.time()
    if document.superseded_at is not None and document.superseded_at <= now:
        return "superseded"
    if document.expires_at is not None and document.expires_at <= now:
        return "expired"
    return "in force" if document.valid_from <= now else "not yet in force"


def _print_hit(hit: Hit) -> None:
    place = " › ".join((hit.chunk.title, *hit.chunk.heading[1:]))
    head = visible_line(f"{place}  ({hit.chunk.source})")
    click.secho(f"{hit.score:.2f}  {head}", bold=True)
    click.echo(f"      {visible_line(' '.join(hit.chunk.text.split())[:300])}")


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


def _seconds(when: datetime | None) -> float | None:
    return None if when is None else when.replace(tzinfo=UTC).timestamp()
