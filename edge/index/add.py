"""Takes files in. An unchanged file costs a look at its size and time of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from skerry.edge.errors import DocumentError, IndexFull
from skerry.edge.index import files
from skerry.edge.index.drafts import Governance, Origin, declaration, digest, merged
from skerry.edge.index.intake import Intake, Tally, same
from skerry.edge.index.parse import governance, parse_data
from skerry.edge.index.store import Known, change
from skerry.edge.index.types import IngestReport, Kind, Metadata, Progress

OnProgress = Callable[[Progress], None]

_SETTLED_SECONDS = 2.0  # a file changed so shortly before it was read may have changed since


def add_files(
    intake: Intake,
    paths: Iterable[Path],
    kind: Kind,
    declared: Metadata,
    progress: OnProgress | None,
) -> IngestReport:
    """Takes in files and folders; see `Index.add`."""
    tally = Tally()
    found = files.find(paths)
    tally.skipped = found.skipped
    for done, path in enumerate(found.files):
        try:
            _add_file(intake, path, kind, declared, tally)
        except DocumentError as error:
            tally.fail(files.source_name(path), error)
        except IndexFull as error:
            what = f"{error.what}; {done} of {len(found.files)} files were taken and are kept"
            raise IndexFull(what, hint=error.hint) from error
        if progress is not None:
            name = files.source_name(path)
            progress(Progress(name, done + 1, len(found.files), tally.chunks))
    intake.settle(tally)
    return tally.report()


def _add_file(intake: Intake, path: Path, kind: Kind, declared: Metadata, tally: Tally) -> None:
    source, declares = files.source_name(path), declaration(kind, declared)
    status = files.status(path)
    known = intake.known(source)
    if known is not None and _untouched(known, status, declares):
        tally.unchanged.append(source)
        return
    content = files.read(path, max_bytes=intake.drafter.settings.max_file_bytes)
    origin = Origin(source, "", digest(content), len(content), status.modified_ns, declares)
    if known is not None and same(known.origin, origin):
        _touch(intake, known, origin)
        tally.unchanged.append(source)
        return
    parsed = parse_data(content, path.name)
    governed = merged(governance(parsed), declared, kind=kind, now=intake.clock())
    expiring = _expiring(governed, intake.drafter.settings.ttl_seconds)
    intake.take(source, origin, expiring, parsed, tally)


def _untouched(known: Known, status: files.Status, declares: str) -> bool:
    """Whether the file need not be read. See "Racy Git" in Git's documentation."""
    origin = known.origin
    if (origin.size_bytes, origin.modified_ns) != (status.size_bytes, status.modified_ns):
        return False
    settled = known.added_at - status.modified_ns / 1e9 > _SETTLED_SECONDS
    return settled and origin.declared == declares


def _touch(intake: Intake, known: Known, origin: Origin) -> None:
    if known.origin != origin:
        with change(intake.database) as transaction:
            transaction.touch(known.id, origin)


def _expiring(governed: Governance, ttl_seconds: float) -> Governance:
    """A fluid document without an expiry of its own gets the default one."""
    if governed.kind is Kind.ANCHORED or governed.expires_at is not None:
        return governed
    return replace(governed, expires_at=governed.valid_from + ttl_seconds)
