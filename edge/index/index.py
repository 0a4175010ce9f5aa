"""The index of what the device knows: one file, two kinds of knowledge, one search."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from skerry.edge.encoder.base import TextEncoder
from skerry.edge.errors import InputError
from skerry.edge.index import (
    add,
    declarable,
    events,
    freshness,
    fusion,
    listing,
    reembedding,
    screened,
    sharing,
    spelling,
    store,
    verify,
)
from skerry.edge.index.collection import CollectionCache
from skerry.edge.index.database import Database
from skerry.edge.index.declared import Declaration
from skerry.edge.index.drafts import Drafter
from skerry.edge.index.following import Following
from skerry.edge.index.intake import Intake
from skerry.edge.index.opening import Opened, open_database
from skerry.edge.index.rescreening import rescreen
from skerry.edge.index.resealing import reseal
from skerry.edge.index.screened import Passage, Screener
from skerry.edge.index.search import QUERY_CHARACTERS, Searcher, check
from skerry.edge.index.sharing import Shared
from skerry.edge.index.types import (
    BelowFloor,
    Chunk,
    Document,
    Event,
    Hit,
    IndexSettings,
    IngestReport,
    IngestWarning,
    Kind,
    Metadata,
    Progress,
    Query,
    Reranker,
    SourceFreshness,
    Stats,
    VerifyReport,
)
from skerry.edge.index.words import WordSplitter, plain
from skerry.edge.private import secret
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.guardrails.findings import Finding

Floats = NDArray[np.float32]

_WHOLE_WORD = 3  # tokens: itself, and those that mark start and end


class Index:
    """Documents and records on this device, to be searched. Thread-safe.

    Several processes may use one file: a reader sees what another has written in its next
    search, and writers take turns. Where another file takes its place, the next call reads that.

    Raises, from every method:
        IndexLocked: another process writes for longer than `settings.busy_timeout_ms`.
        IndexFull: the disk is full. What was taken before stays.
        IndexCorrupt: the file is damaged.
        IndexReplaced: another file took its place in the middle of it.
        EmbedderMismatch: the file was re-embedded with another encoder meanwhile.
        IndexFault: the file cannot be used otherwise, or there is none any more.
    """

    def __init__(
        self,
        database: Database,
        encoder: TextEncoder,
        settings: IndexSettings,
        reranker: Reranker | None,
        clock: Callable[[], float],
        *,
        key: bytes | None = None,
        warnings: tuple[IngestWarning, ...] = (),
        networks: Networks = INSTALLED,
    ) -> None:
        self._networks = networks
        self._warnings = warnings
        self._path, self._read_only = database.path.absolute(), database.read_only
        self._clock = clock
        self._key = key
        self._splitter = WordSplitter()
        self._searcher = Searcher(self._splitter, settings, reranker)
        self._use(encoder)
        self._following = Following(self._opened(database), self._reopen)

    def _use(self, encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._screener = Screener.of(encoder, self._key, self._networks)

    def _opened(self, database: Database) -> Opened:
        encoder, settings = self._encoder, self._searcher.settings
        drafter = Drafter(encoder, self._splitter, settings, self._screener)
        cache = CollectionCache(encoder.id, encoder.dimensions, settings.half_life_seconds)
        return Opened(database, cache, Intake(database, drafter, self._clock))

    def _reopen(self) -> Opened:
        """The file that lies at the path now; none is made."""
        timeout = self.settings.busy_timeout_ms
        return self._opened(
            open_database(self._path, self._encoder, timeout, read_only=self._read_only, make=False)
        )

    @contextmanager
    def _reading(self) -> Iterator[tuple[sqlite3.Connection, CollectionCache]]:
        with self._following.part() as opened, opened.database.reading() as connection:
            yield connection, opened.cache

    @property
    def settings(self) -> IndexSettings:
        """How this index cuts, weighs and forgets."""
        return self._searcher.settings

    @classmethod
    def open(
        cls,
        path: Path | str,
        encoder: TextEncoder,
        *,
        read_only: bool = False,
        make: bool = True,
        settings: IndexSettings | None = None,
        reranker: Reranker | None = None,
        clock: Callable[[], float] = time.time,
        screening_key: Path | None = None,
        networks: Networks = INSTALLED,
    ) -> Self:
        """Opens the index at `path`, or makes a new one there.

        Args:
            encoder: what the vectors come from; the file remembers it and refuses another.
            read_only: the file must exist and is not written.
            make: False where the file must exist, with something in it.
            clock: gives Unix seconds.
            screening_key: this device's private file (made where there is none) for the key that
                seals what is found in documents when they are added; without it that is not kept,
                and passages are screened whenever they are used.
            networks: what looks at documents.

        Raises:
            EmbedderMismatch: the file was built with another encoder.
            IndexFault: the file is no index, belongs to a later version, or cannot be opened.
        """
        settings = settings or IndexSettings()
        timeout = settings.busy_timeout_ms
        database = open_database(Path(path), encoder, timeout, read_only=read_only, make=make)
        try:
            key = screening_key and secret(screening_key, make=not read_only)
            told = () if key or screening_key is None else (screened.keyless(screening_key),)
            made = partial(cls, database, encoder, settings, reranker, clock)
            return made(key=key or None, warnings=told, networks=networks)
        except BaseException:  # after Ctrl-C as well, no open file is left behind
            database.close()
            raise

    def add(
        self,
        paths: Iterable[Path | str] | Path | str,
        *,
        kind: Kind | None = None,
        metadata: Metadata | None = None,
        progress: Callable[[Progress], None] | None = None,
        follow_links: bool = False,
    ) -> IngestReport:
        """Takes in files, and folders with everything below them.

        An unchanged file costs nothing. A changed one becomes the new version of its source; a
        file of the same title with a higher version supersedes the older one too. The older stays,
        for queries as of its time. What cannot be parsed is in `failed`, and the rest goes in.

        Args:
            kind: None is that of the source so far; anchored, for a new one.
            metadata: what is declared of all of these documents; labels are added to the
                documents' own. What it leaves open stays as it was declared before.
            follow_links: also take what symbolic links in a folder lead to outside of it. What is
                left out without it is in `links`.

        Raises:
            InputError: what is declared is too long, no time, or a label that nobody can hold.
        """
        several = [paths] if isinstance(paths, Path | str) else paths
        chosen = [Path(path) for path in several]
        declaration = Declaration(kind, metadata or Metadata())
        declarable.check(declaration.metadata)
        with self._following.part() as opened:
            taken = partial(add.add_files, opened.intake, chosen, declaration, progress)
            report = taken(follow_links=follow_links)
            reseal(opened.database)
            self._rescreen(opened.database, progress)
        return replace(report, warnings=(*report.warnings, *self._warnings))

    def ingest(self, records: Iterable[Event]) -> IngestReport:
        """Takes in fluid records; one replaces the older of the same source and key.

        A record that has expired, or that is older than the one there is, counts as `skipped`.
        """
        with self._following.part() as opened:
            return events.ingest_events(opened.intake, records)

    def search(self, query: Query, vector: Floats | None = None) -> list[Hit]:
        """The chunks that answer `query` best, best first; empty if none is near enough.

        Only what the query may see is ranked: in force at its time, not expired, of its kinds and
        domain, and with no label that it lacks.

        Args:
            vector: the unit vector of the query's text, float32 [dimensions], if it is known.

        Raises:
            InputError: the text is empty, `limit` or `per_source` is below 1, or the
                vector has another shape.
        """
        check(query)
        if vector is None:
            vector = self._encoder.encode([query.text[:QUERY_CHARACTERS]])[0]
        if vector.shape != (self._encoder.dimensions,):
            what = f"a vector of shape {vector.shape} cannot be searched for"
            raise InputError(what, hint=f"It has the shape ({self._encoder.dimensions},).")
        with self._reading() as (connection, cache):
            collection = cache.current(connection)
            return self._searcher.search(connection, collection, query, vector, self._clock())

    def respelled(self, query: Query) -> str:
        """The query's text, with words that are one letter off spelt as the documents spell them.

        Only documents that the query may see lend their spelling.
        """
        text = query.text[:QUERY_CHARACTERS]
        words = spelling.uncommon(self._splitter, text, self._is_common)
        if not words:
            return query.text
        with self._reading() as (connection, cache):
            collection, now = cache.current(connection), self._clock()

            def texts(stem: str) -> list[str]:
                return self._searcher.with_word(connection, collection, query, stem, now)

            missing = spelling.unknown(connection, words, texts)
            spelt = spelling.spellings(connection, self._splitter, missing, texts)
        return spelling.replaced(query.text, spelt)

    def _is_common(self, word: str) -> bool:
        """Whether the encoder's vocabulary has the word whole."""
        return self._encoder.count_tokens(word) <= _WHOLE_WORD

    def below_floor(self, query: Query, vector: Floats | None = None) -> BelowFloor | None:
        """What a search that found nothing would find with a lower floor; None if nothing near.

        Args and errors are those of `search`.
        """
        floor = self.settings.floor if query.floor is None else query.floor
        nearest = self.search(replace(query, floor=-1.0), vector)
        return fusion.below_floor([hit.similarity for hit in nearest], floor)

    def documents(
        self,
        *,
        include_superseded: bool = False,
        as_of: float | None = None,
        labels: frozenset[str] | None = None,
    ) -> list[Document]:
        """The documents in force, now or at the time `as_of`, in the order they were added.

        Args:
            include_superseded: also what is superseded, expired, or not in force yet.
            labels: only what a caller with these may read; None is everything.
        """
        with self._reading() as (connection, _):
            return listing.documents(
                connection,
                self._clock(),
                labels,
                as_of=as_of,
                include_superseded=include_superseded,
            )

    def document_text(self, document_id: int, *, labels: frozenset[str] | None = None) -> str:
        """The whole extracted text, to which a chunk's `start` and `end` refer.

        Args:
            labels: those that the caller holds; None may read everything.

        Raises:
            InputError: there is no such document, it has expired for good, or the caller may not
                read it: which of these is not said.
        """
        with self._reading() as (connection, _):
            return listing.text(connection, document_id, self._clock(), labels)

    def chunks(self, ids: Iterable[int], *, labels: frozenset[str] | None = None) -> list[Chunk]:
        """Those of the chunks `ids` that are still there, in no order.

        Args:
            labels: those that the caller holds; None may read everything.
        """
        with self._reading() as (connection, _):
            return listing.chunks(connection, ids, self._clock(), labels)

    def matching(self, source_or_id: str | int) -> list[Document]:
        """The versions that `remove` would delete, in the order they were added."""
        with self._reading() as (connection, _):
            return listing.matching(connection, source_or_id)

    def remove(self, *sources_or_ids: str | int) -> int:
        """Deletes one version by its id, or every version of a source, or of all files in a folder.

        Returns:
            How many documents were deleted. What a deleted version superseded stays superseded.
        """
        with self._following.part() as opened, store.change(opened.database) as transaction:
            found = (listing.matching_ids(transaction.connection, one) for one in sources_or_ids)
            ids = list(dict.fromkeys(chain.from_iterable(found)))
            if ids:
                transaction.remove(ids)
            return len(ids)

    def verify(self) -> VerifyReport:
        """Checks the whole file: structure, digests of texts, vectors and words of every chunk."""
        with self._following.part() as opened:
            return verify.verify(opened.database)

    def reembed(
        self, encoder: TextEncoder, progress: Callable[[Progress], None] | None = None
    ) -> int:
        """Re-encodes every chunk with another encoder, then uses that; how many were encoded.

        Searches go on meanwhile. What is interrupted is resumed by the next call.
        """
        with self._following.part() as opened:
            encoded = reembedding.reembed_database(opened.database, encoder, progress)
            self._use(encoder)
            self._following.put(self._opened(opened.database))
            self._rescreen(opened.database, progress)
        return encoded

    def screened(
        self, chunks: Sequence[Chunk], encoder: TextEncoder
    ) -> dict[int, tuple[Finding, ...]]:
        """What was found in those of `chunks` that were screened when they were added, by id.

        Only where they would be screened alike now: the same text, title and headings, the same
        screen, `encoder`, and this device's key. The others are to be screened. A chunk without
        findings has an empty tuple; findings have no place.
        """
        screener = self._screener
        if screener is None or not chunks or encoder.id != self._encoder.id:
            return {}
        with self._reading() as (connection, _):
            rows = screened.read(connection, [chunk.id for chunk in chunks])
        found = {
            chunk.id: screener.findings(Passage.of(chunk), rows[chunk.id])
            for chunk in chunks
            if chunk.id in rows
        }
        return {id_: findings for id_, findings in found.items() if findings is not None}

    def shared(self, document_id: int) -> Shared:
        """A document with its chunks and their vectors, to be given to others.

        Raises:
            InputError: there is no such document, or it is not for others (`sharing.kept_back`).
        """
        with self._reading() as (connection, _):
            document = store.read_document(connection, document_id)
            if document is None or (why := sharing.kept_back(document, self._clock())):
                why = "it is not there" if document is None else why
                raise InputError(f"document {document_id} is not for others: {why}")
            return sharing.shared(connection, document, self._encoder.dimensions)

    def _rescreen(self, database: Database, progress: Callable[[Progress], None] | None) -> None:
        if self._screener is not None:
            rescreen(database, self._screener, progress)

    def set_sla(self, source: str, seconds: float | None) -> None:
        """Sets how old the newest record of a source may be; None takes the promise back."""
        with self._following.part() as opened:
            freshness.set_sla(opened.database, plain(source), seconds)

    def set_half_life(self, source: str, seconds: float | None) -> None:
        """Sets the age at which a source's records count half; None is the default again."""
        with self._following.part() as opened:
            freshness.set_half_life(opened.database, plain(source), seconds)

    def freshness(self) -> list[SourceFreshness]:
        """How fresh each fluid source is, with an alert where its promise is broken."""
        with self._following.part() as opened:
            return freshness.freshness(opened.database, self._clock())

    def is_empty(self) -> bool:
        """Whether it holds no document at all, in force or not."""
        with self._reading() as (connection, _):
            return connection.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is None

    def stats(self) -> Stats:
        """What the index holds; loads the vectors if no search has done so yet."""
        now = self._clock()
        with self._following.part() as opened, opened.database.reading() as connection:
            collection = opened.cache.current(connection)
            size = opened.database.size_bytes()
            return listing.stats(connection, collection, now, self._encoder, size)

    def close(self) -> None:
        """Closes the file. May be called twice."""
        self._following.close()
        self._splitter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
