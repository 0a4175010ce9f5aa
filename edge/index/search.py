"""One search: filter, then dense and lexical search among what is left, then fusion and limits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.errors import InputError
from skerry.edge.index import fusion, governance, lexical, store
from skerry.edge.index.collection import Collection
from skerry.edge.index.lexical import LexicalScores
from skerry.edge.index.types import Hit, IndexSettings, Query, Reranker
from skerry.edge.index.words import WordSplitter

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

QUERY_CHARACTERS = 4_000  # of a query, from its start: the words of these are searched for
_WITH_WORD = 4  # texts are looked at
_RERANKED = 4  # times the limit: how many hits a reranker is given
_DEEPER = 10  # times the pool, where one source fills it


@dataclass(frozen=True, slots=True)
class Candidates:
    """Chunks that may become hits, best first: row, fused score, cosine, BM25 (0: no word)."""

    rows: Rows
    scores: NDArray[np.float64]
    cosines: Floats
    bm25: Floats

    def at(self, places: NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]) -> Candidates:
        """These candidates alone, in this order."""
        chosen = np.asarray(places, None if len(places) else np.intp)
        return Candidates(
            self.rows[chosen], self.scores[chosen], self.cosines[chosen], self.bm25[chosen]
        )


@dataclass(frozen=True, slots=True)
class Searcher:
    """Searches collections; holds no state between searches."""

    splitter: WordSplitter
    settings: IndexSettings
    reranker: Reranker | None = None

    def search(
        self,
        connection: sqlite3.Connection,
        collection: Collection,
        query: Query,
        vector: Floats,
        now: float,
    ) -> list[Hit]:
        """Hits, best first; `vector` is the unit vector of the query's text."""
        words = self.splitter.counts([query.text[:QUERY_CHARACTERS]])[0]
        visible = governance.visible(collection.documents, query, now)
        view = View(
            collection=collection,
            query=query,
            vector=vector,
            at=now if query.as_of is None else query.as_of,
            allowed=visible[collection.document_rows],
            lexical=lexical.score(
                connection,
                collection,
                words,
                self.splitter.telling(words),
                self.splitter.names(query.text[:QUERY_CHARACTERS]),
            ),
            settings=self.settings,
        )
        if self.reranker is None:
            return _hits(connection, collection, view.best(query.limit))
        hits = _hits(connection, collection, view.best(_RERANKED * query.limit))
        return list(self.reranker.rerank(query.text, hits))[: query.limit]

    def with_word(
        self,
        connection: sqlite3.Connection,
        collection: Collection,
        query: Query,
        word: str,
        now: float,
    ) -> list[str]:
        """Some texts with a word, a stem, of those that the query may see: titles and all."""
        visible = governance.visible(collection.documents, query, now)
        said = lexical.score(connection, collection, (word,), frozenset((word,))).scores
        rows = np.flatnonzero((said > 0) & visible[collection.document_rows])[:_WITH_WORD]
        chunks = store.read_chunks(connection, collection.chunk_ids[rows].tolist())
        return [f"{one.title} {' '.join(one.heading)} {one.text}" for one in chunks.values()]


@dataclass(frozen=True, slots=True)
class View:
    """What one query sees of a collection: which rows, and how its words score them."""

    collection: Collection
    query: Query
    vector: Floats
    at: float
    allowed: NDArray[np.bool_]
    lexical: LexicalScores
    settings: IndexSettings

    def best(self, limit: int) -> Candidates:
        """The best candidates within the query's limits.

        If one source fills the pool, so that its cap leaves less than the limit, a
        deeper pool is looked at, once.
        """
        pool = max(limit, self.settings.pool)
        found = self._limited(self._ranked(pool), limit)
        if len(found.rows) < limit and self._is_crowded(found):
            return self._limited(self._ranked(_DEEPER * pool), limit)
        return found

    def _is_crowded(self, found: Candidates) -> bool:
        counts = np.bincount(self._sources(found)) if len(found.rows) else np.zeros(1)
        return int(counts.max()) >= self.query.per_source

    def _ranked(self, pool: int) -> Candidates:
        """The best of dense and of lexical search that are hits, fused, best first."""
        near, _ = self.collection.vectors.nearest(self.vector, self.allowed, pool)
        said = _highest(self.lexical.scores, self.allowed, pool)
        rows = np.union1d(near, said)
        cosines = self.collection.vectors.cosines(self.vector, rows)
        hits = self._are_hits(rows, cosines)
        return self._scored(rows[hits], cosines[hits])

    def _are_hits(self, rows: Rows, cosines: Floats) -> NDArray[np.bool_]:
        """Which rows are near enough, have the very words of the query, what it names, or a word of
        it that hardly any other chunk has.

        The vector of a chunk that says many things is near to none of them.
        """
        floor = self.settings.floor if self.query.floor is None else self.query.floor
        hits: NDArray[np.bool_] = cosines >= floor
        said = np.flatnonzero(~hits & (self.lexical.scores[rows] > 0))
        hits[said] = self.lexical.shares(rows[said]) >= self.settings.words_floor
        if self.query.floor is None:
            near = cosines[said] >= self.settings.named_floor
            hits[said] |= near & self.lexical.have_names(rows[said])
            near = cosines[said] >= self.settings.rare_floor
            hits[said] |= near & self.lexical.have_rare(rows[said])
        return hits

    def _scored(self, rows: Rows, cosines: Floats) -> Candidates:
        bm25, bound = self.lexical.scores[rows], self.lexical.bound
        weight = self.settings.dense_weight
        fused = fusion.fuse(cosines, bm25, bm25_bound=bound, dense_weight=weight)
        documents = self.collection.document_rows[rows]
        scores = fused * governance.recency(self.collection.documents, documents, self.at)
        order = fusion.ranked(scores, self.collection.chunk_ids[rows])
        return Candidates(rows, scores, cosines, bm25).at(order)

    def _limited(self, found: Candidates, limit: int) -> Candidates:
        sources = self._sources(found).tolist()
        return found.at(fusion.capped(sources, limit=limit, per_source=self.query.per_source))

    def _sources(self, found: Candidates) -> NDArray[np.int32]:
        return self.collection.documents.source[self.collection.document_rows[found.rows]]


def _highest(scores: Floats, allowed: NDArray[np.bool_], limit: int) -> Rows:
    """The allowed rows with the highest scores above 0, unordered."""
    rows = np.flatnonzero((scores > 0) & allowed)
    if len(rows) <= limit:
        return rows
    best: Rows = rows[np.argpartition(-scores[rows], limit)[:limit]]
    return best


def _hits(connection: sqlite3.Connection, collection: Collection, found: Candidates) -> list[Hit]:
    ids = collection.chunk_ids[found.rows].tolist()
    chunks = store.read_chunks(connection, ids)
    columns = zip(
        ids, found.scores.tolist(), found.cosines.tolist(), found.bm25.tolist(), strict=True
    )
    return [Hit(chunks[id_], score, cosine, bm25 or None) for id_, score, cosine, bm25 in columns]


def check(query: Query) -> None:
    """Raises InputError of a query that can find nothing: without text, or for no hits."""
    if not query.text.strip():
        raise InputError("the query is empty", hint="Say what to search for.")
    if query.limit < 1 or query.per_source < 1:
        what = f"limit={query.limit} and per_source={query.per_source} find nothing"
        raise InputError(what, hint="Both are at least 1.")
