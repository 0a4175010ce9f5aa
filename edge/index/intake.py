"""Writes what is new, one transaction for each document, and keeps the report.

A process that is killed at any point leaves whole documents only; the next run takes the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from skerry.edge.errors import DocumentError
from skerry.edge.index import declared, postings
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import Drafter, Governance, OnPart, Origin
from skerry.edge.index.parse import Parsed
from skerry.edge.index.schema import check_encoder
from skerry.edge.index.store import (
    Known,
    change,
    declarations_of_content,
    expired_records,
    labels_of_content,
    newest,
)
from skerry.edge.index.types import (
    Failure,
    IngestReport,
    IngestWarning,
    Kind,
    Metadata,
    Superseded,
)

Clock = Callable[[], float]

_ATTEMPTS = 5


@dataclass(slots=True)
class Tally:
    """The report while it is written."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    labelled: list[str] = field(default_factory=list)
    dated: list[str] = field(default_factory=list)
    links: tuple[str, ...] = ()
    skipped: int = 0
    unread: tuple[Failure, ...] = ()
    warnings: list[IngestWarning] = field(default_factory=list)
    superseded: list[Superseded] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    chunks: int = 0
    began: float = field(default_factory=time.monotonic)

    def fail(self, name: str, error: DocumentError) -> None:
        self.failed.append(Failure(name, error.what, error.hint))

    def report(self) -> IngestReport:
        return IngestReport(
            added=tuple(self.added),
            updated=tuple(self.updated),
            unchanged=tuple(self.unchanged),
            failed=tuple(self.failed),
            chunks=self.chunks,
            seconds=time.monotonic() - self.began,
            skipped=self.skipped,
            labelled=tuple(self.labelled),
            dated=tuple(self.dated),
            links=self.links,
            unread=self.unread,
            warnings=tuple(self.warnings),
            superseded=tuple(self.superseded),
            expired=tuple(self.expired),
        )


@dataclass(frozen=True, slots=True)
class Intake:
    """Drafts and writes documents into one index. `clock` gives Unix seconds."""

    database: Database
    drafter: Drafter
    clock: Clock

    def known(self, source: str, key: str = "") -> Known | None:
        with self.database.reading() as connection:
            return newest(connection, source, key)

    def elsewhere(self, content_digest: str) -> Metadata:
        """The labels, beginning and expiry that this content has in other places."""
        with self.database.reading() as connection:
            labels = labels_of_content(connection, content_digest)
            said = declarations_of_content(connection, content_digest)
        return declared.of_content(map(declared.from_text, said), labels)

    def take(
        self,
        origin: Origin,
        governance: Governance,
        parsed: Parsed,
        known: Known | None,
        tally: Tally,
        *,
        on_part: OnPart | None = None,
    ) -> bool:
        """Drafts a document and writes it in the place of `known`, what it replaces, if anything.

        Args:
            on_part: is told which share of the document is encoded, in [0, 1).

        Returns:
            Whether it was written. It is not if another writer has replaced `known` meanwhile:
            what governs the document rests on that, and is to be decided anew.
        """
        draft = self.drafter.draft(origin, governance, parsed, on_part)
        with change(self.database) as transaction:
            check_encoder(transaction.connection, self.drafter.encoder.id)
            if newest(transaction.connection, origin.source, origin.key) != known:
                return False
            if known is not None and not _retained(known, draft.origin, governance):
                transaction.remove([known.id])
                draft = replace(draft, governance=_continued(governance, known))
            ended = transaction.add(draft, now=self.clock())
            transaction.seal(at_least=postings.SEAL_AT)
        tally.superseded += ended
        expires = draft.governance.expires_at
        tally.expired += [origin.name] if expires is not None and expires <= self.clock() else []
        (tally.added if known is None else tally.updated).append(origin.name)
        tally.chunks += len(draft.pieces)
        return True

    def settle(self, tally: Tally) -> None:
        """What is due after documents were taken: expired records go, many new words are sealed."""
        now = self.clock()
        with self.database.reading() as connection:
            expired = expired_records(connection, now)
        if not expired and tally.chunks < postings.SEAL_AFTER_ADD:
            return
        with change(self.database) as transaction:
            transaction.remove(expired_records(transaction.connection, now))
            transaction.seal(at_least=postings.SEAL_AFTER_ADD)


def insist(attempt: Callable[[], bool], name: str) -> None:
    """Makes attempts until one succeeds.

    Raises:
        DocumentError: other writers came between each time.
    """
    for _ in range(_ATTEMPTS):
        if attempt():
            return
    what = f"'{name}' is being written by another process again and again"
    raise DocumentError(what, hint="Add it again when that process is done.")


def same(known: Origin, origin: Origin) -> bool:
    """Whether the content and what was declared of it are as they were."""
    return (known.digest, known.declared) == (origin.digest, origin.declared)


def _retained(known: Known, origin: Origin, governance: Governance) -> bool:
    """Whether the older version is kept beside the new one.

    Fluid records have no history. Equal content that is declared otherwise is no new version: the
    old declaration, perhaps with fewer labels, must not live on in as-of queries.
    """
    return governance.kind is Kind.ANCHORED and known.origin.digest != origin.digest


def _continued(governance: Governance, known: Known) -> Governance:
    """Equal content declared anew has been in force since it first was, unless a date is stated."""
    if governance.kind is Kind.FLUID or governance.valid_from_stated:
        return governance
    return replace(governance, valid_from=known.valid_from)
