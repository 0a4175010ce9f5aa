"""One search: filter, then dense and lexical search among what is left, then fusion and limits."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index import fusion, governance, lexical, store
from skerry.edge.index.collection import Collection
from skerry.edge.index.types import Hit, IndexSettings, Query, Reranker
from skerry.edge.index.words import WordSplitter

Floats = NDArray[np.float32]
Rows = NDArray[np.intp]

QUERY_CHARACTERS = 4_000  # of a query, from its start: the words of these are searched for
_RERANKED = 4  # times the limit: how many hits a reranker is given


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
        allowed = governance.visible(collection.documents, query, now)[collection.document_rows]
        found = self._candidates(connection, collection, query, vector, allowed)
        weighted = _weigh_by_age(collection, found, now if query.as_of is None else query.as_of)
        if self.reranker is None:
            chosen = _limited(collection, weighted, query, query.limit)
            return _hits(connection, collection, chosen)
        chosen = _limited(collection, weighted, query, _RERANKED * query.limit)
        hits = _hits(connection, collection, chosen)
        return list(self.reranker.rerank(query.text, hits))[: query.limit]

    def _candidates(
        self,
        connection: sqlite3.Connection,
        collection: Collection,
        query: Query,
        vector: Floats,
        allowed: NDArray[np.bool_],
    ) -> Candidates:
        """The best of dense and of lexical search, with both scores each, above the floor."""
        words = self.splitter.counts([query.text[:QUERY_CHARACTERS]])[0]
        lexical_scores = lexical.score(connection, collection, words)
        near, _ = collection.vectors.nearest(vector, allowed, self.settings.pool)
        said = _highest(lexical_scores.scores, allowed, self.settings.pool)
        rows = np.union1d(near, said)
        cosines, bm25 = collection.vectors.cosines(vector, rows), lexical_scores.scores[rows]
        weight = self.settings.dense_weight
        scores = fusion.fuse(cosines, bm25, bm25_bound=lexical_scores.bound, dense_weight=weight)
        floor = self.settings.floor if query.floor is None else query.floor
        return Candidates(rows, scores.astype(np.float64), cosines, bm25).at(cosines >= floor)


def _highest(scores: Floats, allowed: NDArray[np.bool_], limit: int) -> Rows:
    """The allowed rows with the highest scores above 0, unordered."""
    rows = np.flatnonzero((scores > 0) & allowed)
    if len(rows) <= limit:
        return rows
    best: Rows = rows[np.argpartition(-scores[rows], limit)[:limit]]
    return best


def _weigh_by_age(collection: Collection, found: Candidates, at: float) -> Candidates:
    """Fluid records count less with age; then the best come first."""
    documents = collection.document_rows[found.rows]
    scores = found.scores * governance.recency(collection.documents, documents, at)
    weighed = Candidates(found.rows, scores, found.cosines, found.bm25)
    return weighed.at(fusion.ranked(scores, collection.chunk_ids[found.rows]))


def _limited(collection: Collection, found: Candidates, query: Query, limit: int) -> Candidates:
    sources = collection.documents.source[collection.document_rows[found.rows]]
    return found.at(fusion.capped(sources.tolist(), limit=limit, per_source=query.per_source))


def _hits(connection: sqlite3.Connection, collection: Collection, found: Candidates) -> list[Hit]:
    ids = collection.chunk_ids[found.rows].tolist()
    chunks = store.read_chunks(connection, ids)
    columns = zip(
        ids, found.scores.tolist(), found.cosines.tolist(), found.bm25.tolist(), strict=True
    )
    return [Hit(chunks[id_], score, cosine, bm25 or None) for id_, score, cosine, bm25 in columns]
