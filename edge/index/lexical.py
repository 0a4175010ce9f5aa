"""Scores every chunk of a collection for the words of a query."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection as Words
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.index import bm25, postings
from skerry.edge.index.collection import Collection, Unsealed


@dataclass(frozen=True, slots=True)
class LexicalScores:
    """BM25 of every chunk, float32 [chunks], and a bound that none can exceed."""

    scores: bm25.Floats
    bound: float


def score(
    connection: sqlite3.Connection, collection: Collection, words: Words[str]
) -> LexicalScores:
    """BM25 of all chunks of the collection, whose generation `connection` must see."""
    chunks = len(collection.chunk_ids)
    scores = np.zeros(chunks, np.float32)
    word_ids = postings.find_words(connection, words).values()
    unsealed = _among(collection.unsealed, word_ids)
    frequencies = _frequencies(connection, word_ids, unsealed)
    chosen = bm25.worth_scoring(frequencies, chunks)
    sealed = postings.read(connection, chosen.keys())
    for word_id, frequency in chosen.items():
        weight = bm25.inverse_frequency(frequency, chunks)
        for rows, counts in _occurrences(collection, sealed.get(word_id), unsealed, word_id):
            scores[rows] += bm25.contribution(counts, collection.norms[rows], weight)
    return LexicalScores(scores, bm25.upper_bound(chosen, chunks))


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
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.uint8]]]:
    """The rows of the chunks that have a word, each once, and how often each has it."""
    if sealed is not None:
        rows = collection.rows_of(sealed.chunk_ids)
        there = rows >= 0
        yield rows[there], sealed.counts[there]
    mine = unsealed.word_ids == word_id
    yield unsealed.rows[mine], unsealed.counts[mine]
