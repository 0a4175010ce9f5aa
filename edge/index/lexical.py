"""Scores every chunk of a collection for the words of a query."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection as Words
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index import bm25, postings
from skerry.edge.index.collection import Collection, Unsealed

Rows = NDArray[np.int32]

_FEW = 4  # chunks that have a name which tells them apart, also where there are few chunks
_RARE = 3  # chunks that have a word which says by itself where to look


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a query: its weight in nats, and which chunks have it how often.

    `occurrences` are pairs of ascending rows and counts, and no row is in two of them.
    """

    weight: float
    occurrences: Sequence[tuple[Rows, NDArray[np.uint8]]] = ()


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """BM25 of every chunk, float32 [chunks], a bound that none can exceed, and telling words.

    Those say what the query is about; very common words are not among them, and words that no
    chunk has are. `names` are the words of what the query names, if few chunks have one of them.
    `rare` are telling words that only a chunk or three have.
    """

    scores: bm25.Floats
    bound: float
    telling: Sequence[Word]
    names: Sequence[Word] = ()
    rare: Sequence[Word] = ()

    def shares(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Which share of the telling words each chunk has, by weight, in [0, 1]."""
        wanted = rows.astype(np.int32)
        found = np.zeros(len(rows))
        for word in self.telling:
            for there, _ in word.occurrences:
                found[_among_sorted(there, wanted)] += word.weight
        return found / max(sum(word.weight for word in self.telling), 1e-9)

    def have_names(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which chunks have all that the query names; none where it names nothing rare."""
        found = np.full(len(rows), bool(self.names))
        for word in self.names:
            found &= _has(word, rows)
        return found

    def have_rare(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which chunks have a rare word of the query."""
        found = np.zeros(len(rows), np.bool_)
        for word in self.rare:
            found |= _has(word, rows)
        return found


def _has(word: Word, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    wanted = rows.astype(np.int32)
    found = np.zeros(len(rows), np.bool_)
    for there, _ in word.occurrences:
        found |= _among_sorted(there, wanted)
    return found


def _among_sorted(rows: Rows, wanted: Rows) -> NDArray[np.bool_]:
    """Which of `wanted` are among the ascending `rows`."""
    if not len(rows):
        return np.zeros(len(wanted), np.bool_)
    nearest = rows[np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)]
    return np.equal(nearest, wanted)


def score(
    connection: sqlite3.Connection,
    collection: Collection,
    words: Words[str],
    telling: Words[str],
    names: Words[str] = (),
) -> LexicalScores:
    """BM25 of all chunks of the collection, whose generation `connection` must see.

    `telling` are those of the words that say what the query is about, `names` those that name it.
    """
    chunks = len(collection.chunk_ids)
    ids = postings.find_words(connection, words)
    unsealed = _among(collection.unsealed, ids.values())
    frequencies = _frequencies(connection, ids.values(), unsealed)
    chosen = bm25.worth_scoring(frequencies, chunks)
    sealed = postings.read(connection, chosen.keys())
    found = {
        word_id: Word(
            bm25.inverse_frequency(frequency, chunks),
            list(_occurrences(collection, sealed.get(word_id), unsealed, word_id)),
        )
        for word_id, frequency in chosen.items()
    }
    absent = Word(bm25.inverse_frequency(0, chunks))
    known = {word: word_id for word, word_id in ids.items() if word_id in frequencies}

    def those(some: Words[str]) -> list[Word]:
        told = (found.get(known[word]) if word in known else absent for word in some)
        return [word for word in told if word is not None]

    def in_few(word: str, most: int) -> bool:
        return 0 < frequencies.get(known.get(word, -1), 0) <= most

    few = max(_FEW, chunks // 100)
    return LexicalScores(
        _summed(collection, found.values()),
        bm25.upper_bound(chosen, chunks),
        those(telling),
        those(names) if any(in_few(name, few) for name in names) else (),
        those([word for word in telling if in_few(word, _RARE)]),
    )


def _summed(collection: Collection, words: Iterable[Word]) -> bm25.Floats:
    scores = np.zeros(len(collection.chunk_ids), np.float32)
    for word in words:
        for rows, counts in word.occurrences:
            scores[rows] += bm25.contribution(counts, collection.norms[rows], word.weight)
    return scores


def _among(unsealed: Unsealed, word_ids: Words[int]) -> Unsealed:
    """The entries of these words."""
    wanted = np.zeros(int(unsealed.word_ids.max(initial=0)) + 1, np.bool_)
    wanted[[word_id for word_id in word_ids if word_id < len(wanted)]] = True
    return unsealed.at(np.flatnonzero(wanted[unsealed.word_ids]))


def _frequencies(
    connection: sqlite3.Connection, word_ids: Words[int], unsealed: Unsealed
) -> dict[int, int]:
    """How many chunks have each word, sealed or not."""
    found = Counter(postings.frequencies(connection, word_ids))
    more, counts = np.unique(unsealed.word_ids, return_counts=True)
    found.update(dict(zip(more.tolist(), counts.tolist(), strict=True)))
    return dict(found)


def _occurrences(
    collection: Collection, sealed: postings.Postings | None, unsealed: Unsealed, word_id: int
) -> Iterator[tuple[Rows, NDArray[np.uint8]]]:
    """The rows of the chunks that have a word, ascending, and how often each has it."""
    if sealed is not None:
        rows = collection.rows_of(sealed.chunk_ids)
        there = rows >= 0
        yield rows[there], sealed.counts[there]
    mine = unsealed.word_ids == word_id
    yield unsealed.rows[mine], unsealed.counts[mine]
