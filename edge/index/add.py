"""Takes files in. An unchanged file costs a look at its size and time of change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from skerry.edge.errors import DocumentError, IndexFull
from skerry.edge.index import declared, files
from skerry.edge.index.declared import Declaration
from skerry.edge.index.drafts import Governance, OnPart, Origin, decided, digest
from skerry.edge.index.intake import Intake, Tally, insist, same
from skerry.edge.index.parse import Parsed, governance, parse_data
from skerry.edge.index.store import Known, change
from skerry.edge.index.types import IngestReport, IngestWarning, Kind, Metadata, Progress

OnProgress = Callable[[Progress], None]

_SETTLED_SECONDS = 2.0  # a file changed so shortly before it was read may have changed since


def add_files(
    intake: Intake,
    paths: Iterable[Path],
    declaration: Declaration,
    progress: OnProgress | None,
    *,
    follow_links: bool = False,
) -> IngestReport:
    """Takes in files and folders; see `Index.add`."""
    found = files.find(paths, follow_links=follow_links)
    tally = Tally(
        skipped=len(found.unread),
        unread=found.unread,
        links=found.links,
        failed=list(found.failed),
    )
    for done, path in enumerate(found.files):
        step = Progress(files.source_name(path), done, len(found.files), 0)
        tell = _telling(progress, step, tally)
        tell(0.0)
        try:
            attempt = partial(_add_file, intake, path, declaration, tally, tell)
            insist(attempt, files.source_name(path))
        except DocumentError as error:
            tally.fail(files.source_name(path), error)
        except IndexFull as error:
            what = f"{error.what}; {done} of {len(found.files)} files were taken and are kept"
            raise IndexFull(what, hint=error.hint) from error
        if done + 1 == len(found.files):
            _telling(progress, replace(step, done=done + 1), tally)(0.0)
    intake.settle(tally)
    return tally.report()


def _telling(progress: OnProgress | None, step: Progress, tally: Tally) -> OnPart:
    """Tells of a step again when more of it is done."""

    def tell(part: float) -> None:
        if progress is not None:
            progress(replace(step, chunks=tally.chunks, part=part))

    return tell


def _add_file(
    intake: Intake, path: Path, declaration: Declaration, tally: Tally, on_part: OnPart
) -> bool:
    """Whether the file is in the index now, as it is and as declared."""
    source, status = files.source_name(path), files.status(path)
    known = intake.known(source)
    if known is not None and _untouched(known, status, declaration):
        tally.unchanged.append(source)
        return True
    content = files.read(path, max_bytes=intake.drafter.settings.max_file_bytes)
    elsewhere = _elsewhere(intake, declaration, known, digest(content))
    holds = _holding(declaration, known, digest(content), elsewhere)
    origin = Origin(source, "", digest(content), len(content), status.modified_ns, holds.as_text())
    if known is not None and same(known.origin, origin):
        _touch(intake, known, origin)
        tally.unchanged.append(source)
        return True
    parsed = parse_data(content, path.name)
    governed = _governed(intake, parsed, holds)
    taken = intake.take(origin, governed, parsed, known, tally, on_part=on_part)
    tally.labelled += [source] if taken and elsewhere.labels else []
    tally.dated += [source] if taken and _has_dates(elsewhere) else []
    tally.warnings += _doubts(source, parsed) if taken else []
    return taken


def _doubts(source: str, parsed: Parsed) -> list[IngestWarning]:
    return [
        IngestWarning(
            source,
            f"its front matter has '{name}', which is no key and was passed over",
            f"write '{key}' if that is meant, and add the file again",
        )
        for name, key in parsed.misspelt.items()
    ]


def _untouched(known: Known, status: files.Status, declaration: Declaration) -> bool:
    """Whether the file need not be read. See "Racy Git" in Git's documentation."""
    origin = known.origin
    if (origin.size_bytes, origin.modified_ns) != (status.size_bytes, status.modified_ns):
        return False
    settled = known.added_at - status.modified_ns / 1e9 > _SETTLED_SECONDS
    holds = _holding(declaration, known, origin.digest, Metadata())
    return settled and origin.declared == holds.as_text()


def _elsewhere(
    intake: Intake, declaration: Declaration, known: Known | None, content_digest: str
) -> Metadata:
    """What governs content that is new to its place in the other places that have it.

    A file that is moved or copied does not lose its labels: whoever may not read the one may not
    read the other. One that is new to the index does not lose its dates: what has expired there is
    not served here. Nothing of what the caller says now.
    """
    if known is not None and known.origin.digest == content_digest:
        return Metadata()
    found, said = intake.elsewhere(content_digest), declaration.metadata
    return Metadata(
        labels=found.labels if said.labels is None else None,
        valid_from=found.valid_from if known is None and said.valid_from is None else None,
        expires_at=found.expires_at if known is None and said.expires_at is None else None,
    )


def _has_dates(metadata: Metadata) -> bool:
    return metadata.valid_from is not None or metadata.expires_at is not None


def _holding(
    declaration: Declaration, known: Known | None, content_digest: str, elsewhere: Metadata
) -> Declaration:
    """What is declared of the content now: by this caller, or else before, or `elsewhere`."""
    if known is None:
        return declared.again(declaration, Declaration(None, elsewhere))
    before = known.said
    if known.origin.digest == content_digest:
        return declared.again(declaration, before)
    return declared.renewed(declaration, before, known.labels | (elsewhere.labels or frozenset()))


def _governed(intake: Intake, parsed: Parsed, holds: Declaration) -> Governance:
    stated = declared.merged(governance(parsed), holds.metadata)
    governed = decided(stated, kind=holds.kind or Kind.ANCHORED, now=intake.clock())
    return _expiring(governed, intake.drafter.settings.ttl_seconds)


def _touch(intake: Intake, known: Known, origin: Origin) -> None:
    if known.origin != origin:
        with change(intake.database) as transaction:
            transaction.touch(known.id, origin)


def _expiring(governed: Governance, ttl_seconds: float) -> Governance:
    """A fluid document without an expiry of its own gets the default one."""
    if governed.kind is Kind.ANCHORED or governed.expires_at is not None:
        return governed
    return replace(governed, expires_at=governed.valid_from + ttl_seconds)
