"""`skerry index`: the documents that answers come from."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.collection_search import search_collection
from skerry.edge.cli.index_shown import bar, show_documents, show_hits, show_list, show_report
from skerry.edge.cli.options import json_option, make_runtime, option, settings
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath, When, beginning, end, moment
from skerry.edge.errors import IndexFault, InputError
from skerry.edge.terminal import visible_line

if TYPE_CHECKING:
    from skerry.edge.index import Document, Event, IngestReport
    from skerry.edge.runtime import Runtime

SOME_FAILED = 5
_DIGITS = 19  # of an id, at most

Given = TypeVar("Given")


@click.group()
def index() -> None:
    """Manage the documents that answers come from."""


@index.command()
@click.argument("paths", nargs=-1, required=True, type=GivenPath())
@settings("index", "bundle")
@option("--title", help="Title; default: the document's own.")
@option("--version", help="Version; default: the document's own.")
@option("--valid-from", type=When(beginning), help="In force from; a day from its beginning.")
@option("--expires", type=When(end), help="Never served after; a day counts to its end.")
@option("--no-expires", is_flag=True, help="Take an earlier --expires back.")
@option("--label", "labels", multiple=True, help="Access label; may be given again.")
@option("--no-labels", is_flag=True, help="Remove the labels that were declared or kept.")
@option("--domain", help="Domain, to search within.")
@option("--follow-links", is_flag=True, help="Also follow links that lead out of a folder.")
@json_option
def add(
    paths: tuple[Path, ...],
    title: str | None,
    version: str | None,
    valid_from: float | None,
    expires: float | None,
    no_expires: bool,
    labels: tuple[str, ...],
    no_labels: bool,
    domain: str | None,
    follow_links: bool,
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
        valid_from=valid_from,
        expires_at=_either(expires, math.inf if no_expires else None, "expires"),
        labels=_either(frozenset(labels) or None, frozenset() if no_labels else None, "labels"),
        domain=domain,
    )
    with make_runtime(given) as runtime, bar("indexing", quiet=as_json) as progress:
        report = runtime.index.add(
            paths, metadata=metadata, progress=progress, follow_links=follow_links
        )
    _finish(report, as_json=as_json)


@index.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings("index", "bundle")
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
@settings("index", "bundle")
@option("--all", "everything", is_flag=True, help="Also superseded, expired, not yet in force.")
@json_option
def list_(everything: bool, as_json: bool, **given: Any) -> None:
    """List the documents in force."""
    with make_runtime(given) as runtime:
        missing = _missing(runtime)
        documents = [] if missing else runtime.index.documents(include_superseded=everything)
        folder = runtime.parts.settings.index.parent
    if missing and folder.exists() and not folder.is_dir():
        raise missing
    if missing:
        click.echo(f"{missing.what}: {missing.hint}", err=True)
    if as_json:
        emit("skerry.index.ls/1", {"documents": documents})
        return
    show_documents(documents)


@index.command()
@click.argument("query", nargs=-1, required=True)
@settings("index", "bundle", "labels", "domain", "consent")
@option(
    "--floor",
    "similarity_floor",
    type=click.FloatRange(-1, 1),
    envvar="SKERRY_SIMILARITY_FLOOR",
    help="Least cosine of a hit, unless it has the very words; default: the index's own.",
)
@option("--limit", default=6, show_default=True, help="Most hits.")
@option("--as-of", type=When(moment), help="What was in force then; at the end of a day.")
@option("--collection", help="Search this cloud collection instead, if policy lets a vector leave.")
@option("--yes", is_flag=True, help="Approve what leaves for it.")
@json_option
def search(
    query: tuple[str, ...],
    limit: int,
    as_of: float | None,
    collection: str | None,
    yes: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Search the documents, as a question would.

    With --collection, a vector of the redacted query leaves this device (docs/collections.md), and
    the receipt says so.

    Exit codes: 5 the index cannot be used, 6 the collection did not answer, 7 policy or a person
    lets no vector leave.
    """
    from skerry.edge.index import Query

    if collection is not None:
        if as_of is not None:
            raise click.UsageError("--as-of is for this device's documents, not for --collection")
        given["top_k"] = limit
        search_collection(collection, " ".join(query), yes=yes, as_json=as_json, given=given)
        return

    with make_runtime(given) as runtime:
        _require_index(runtime)
        wanted = runtime.parts.settings
        asked = Query(
            " ".join(query),
            limit=limit,
            labels=wanted.labels,
            domain=wanted.domain,
            as_of=as_of,
            floor=wanted.similarity_floor,
        )
        hits = runtime.index.search(asked)
        below = None if hits else runtime.index.below_floor(asked)
    if as_json:
        emit("skerry.index.search/1", {"hits": hits, "below_floor": below})
        return
    show_hits(hits, below, as_of)


@index.command()
@click.argument("document")
@option("--yes", is_flag=True, help="Do not ask before more than one document is removed.")
@settings("index", "bundle")
@json_option
def rm(document: str, yes: bool, as_json: bool, **given: Any) -> None:
    """Remove a document by id or source; of a folder or feed, all that it has.

    An id is one version; a source has all its versions removed. More than one document is
    removed only after a question, and where nobody can be asked only with --yes.
    """
    with make_runtime(given) as runtime:
        _require_index(runtime)
        matching = runtime.index.matching(_id_or_source(document))
        if not matching:
            what = f"no document '{visible_line(document)}'"
            raise InputError(what, hint="`skerry index ls --all` lists them")
        if not yes:
            _consent(document, matching, may_ask=not as_json)
        removed = runtime.index.remove(*(one.id for one in matching))
    if as_json:
        emit("skerry.index.rm/1", {"removed": removed, "documents": matching})
    else:
        click.echo(f"removed {removed} document(s)")


def _missing(runtime: Runtime) -> IndexFault | None:
    """What to say where there is no index yet; to look for one makes none.

    Raises:
        IndexFault: its file has not a byte in it.
    """
    from skerry.edge.index.database import check_not_empty

    path = runtime.parts.settings.index
    if path.exists():
        check_not_empty(path)
        return None
    hint = "`skerry index add PATH` makes one; --index or SKERRY_INDEX names another file"
    return IndexFault(f"there is no index '{path}'", hint=hint)


def _require_index(runtime: Runtime) -> None:
    """Raises IndexFault where there is no index."""
    if missing := _missing(runtime):
        raise missing


def has_person() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _id_or_source(document: str) -> int | str:
    is_id = document.isascii() and document.isdigit() and len(document) < _DIGITS
    return int(document) if is_id else document


def _consent(document: str, matching: Sequence[Document], *, may_ask: bool) -> None:
    """Asks whether to remove more than one document.

    Raises:
        InputError: nobody can be asked.
        click.exceptions.Exit: the answer is no.
    """
    sources = list(dict.fromkeys(one.source for one in matching))
    if len(matching) == 1 or (len(sources) == 1 and matching[0].kind == "anchored"):
        return
    count = f"{len(matching):,} documents and versions"
    if not (may_ask and has_person()):
        what = f"'{visible_line(document)}' stands for {count}"
        raise InputError(what, hint="add --yes to remove them; `skerry index ls --all` lists them")
    show_list(sources)
    if not click.confirm(f"Remove {count}?", default=False, err=True):
        click.echo("nothing was removed", err=True)
        raise click.exceptions.Exit(1)


@index.command()
@settings("index", "bundle")
@json_option
def verify(as_json: bool, **given: Any) -> None:
    """Check the file: integrity, full text, vectors, digests."""
    with make_runtime(given) as runtime:
        _require_index(runtime)
        report = runtime.index.verify()
    if as_json:
        emit("skerry.index.verify/1", {"ok": not report.problems, "problems": report.problems})
    else:
        problems = "\n".join(map(visible_line, report.problems))
        click.echo(problems or f"sound: {report.chunks:,} chunks")
    if report.problems:
        sys.exit(SOME_FAILED)


@index.command()
@settings("index", "bundle")
@json_option
def reembed(as_json: bool, **given: Any) -> None:
    """Make every vector anew with the encoder of this version, or of the bundle.

    Can be interrupted and goes on.
    """
    from skerry.edge.index import reembed as encode_again

    with make_runtime(given) as runtime, bar("re-embedding", quiet=as_json) as progress:
        _require_index(runtime)
        wanted, encoder = runtime.parts.settings, runtime.parts.encoder
        chunks = encode_again(
            wanted.index,
            encoder,
            progress,
            screening_key=wanted.screening_key_file,
            networks=runtime.parts.networks,
        )
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
