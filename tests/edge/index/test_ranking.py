from __future__ import annotations

import math
import sqlite3
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.index import bm25, fusion, postings
from skerry.edge.index.words import WordSplitter

UNIT = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(UNIT, UNIT), min_size=1), UNIT)
def test_a_fused_score_lies_between_its_two(
    pairs: list[tuple[float, float]], weight: float
) -> None:
    cosines, lexical = np.array(pairs, np.float32).T
    scores = fusion.fuse(cosines, lexical * 3, bm25_bound=3, dense_weight=weight)
    assert (scores >= np.minimum(cosines, lexical) - 1e-5).all()
    assert (scores <= np.maximum(cosines, lexical) + 1e-5).all()


def test_without_words_the_cosine_alone_decides() -> None:
    cosines = np.array([-0.5, 0.7], np.float32)
    scores = fusion.fuse(cosines, np.zeros(2, np.float32), bm25_bound=0, dense_weight=0.5)
    assert scores == pytest.approx([0.0, 0.7])


def test_equal_scores_keep_the_order_of_adding() -> None:
    order = fusion.ranked(np.array([0.5, 0.9, 0.5]), np.array([30, 20, 10]))
    assert order.tolist() == [1, 2, 0]


@given(st.lists(st.integers(0, 4)), st.integers(1, 9), st.integers(1, 4))
def test_no_source_has_more_than_its_share(sources: list[int], limit: int, most: int) -> None:
    kept = fusion.capped(sources, limit=limit, per_source=most)
    counts = Counter(sources[place] for place in kept)
    assert kept == sorted(kept)
    assert max(counts.values(), default=0) <= most
    assert len(kept) == min(limit, sum(min(most, n) for n in Counter(sources).values()))


TEXTS = st.lists(st.lists(st.sampled_from(["oak", "elm", "ash", "fir"]), max_size=12), min_size=1)


@pytest.fixture(scope="module")
def splitter() -> WordSplitter:
    return WordSplitter()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The dogs are running", {"the": 1, "dog": 1, "ar": 1, "run": 1}),
        ("Zoë's naïve café", {"zoe": 1, "s": 1, "naiv": 1, "cafe": 1}),
        ("IL-6, IL-6!", {"il": 2, "6": 2}),
        ("run\0runs \ud800 run", {"run": 3}),
        ("?!… -- ''", {}),
        ("", {}),
        ("x" * 65 + " short", {"short": 1}),
    ],
)
def test_words(splitter: WordSplitter, text: str, words: dict[str, int]) -> None:
    assert splitter.counts([text, "other"])[0] == words


def connect(tables: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript(tables)
    return connection


@pytest.fixture(scope="module")
def tables() -> str:
    from skerry.edge.index.schema import _TABLES

    return _TABLES


@given(texts=TEXTS, sealed=st.integers(0, 12), gap=st.sampled_from([1, 7, 40_000]))
def test_postings_say_which_chunks_have_a_word(
    tables: str, texts: list[list[str]], sealed: int, gap: int
) -> None:
    connection = connect(tables)
    chunks = [(1 + number * gap, Counter(text)) for number, text in enumerate(texts)]
    put(connection, chunks[:sealed], seal=True)
    put(connection, chunks[sealed:], seal=True)
    ids = postings.find_words(connection, ["oak", "elm", "nothing"])
    assert "nothing" not in ids
    for word, word_id in ids.items():
        found = read(connection, word_id)
        expected = {chunk_id: counts[word] for chunk_id, counts in chunks if word in counts}
        listed = zip(found.chunk_ids.tolist(), found.counts.tolist(), strict=True)
        assert dict(listed) == expected
        assert postings.frequencies(connection, [word_id]) == {word_id: len(expected)}


def put(
    connection: sqlite3.Connection, chunks: list[tuple[int, Counter[str]]], *, seal: bool
) -> None:
    for chunk_id, counts in chunks:
        row = (chunk_id, 1, "[]", "", 0, 0, postings.word_total(counts))
        connection.execute("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    postings.put_words(connection, chunks)
    if seal:
        postings.seal(connection)


def read(connection: sqlite3.Connection, word_id: int) -> postings.Postings:
    nothing = postings.Postings(np.empty(0, np.int64), np.empty(0, np.uint8))
    return postings.read(connection, [word_id]).get(word_id, nothing)


def test_compacting_drops_removed_chunks_and_nothing_else(tables: str) -> None:
    connection = connect(tables)
    put(connection, [(n, Counter({"oak": n, f"only{n}": 1})) for n in range(1, 9)], seal=True)
    connection.execute("DELETE FROM chunks WHERE id % 2 = 0")
    postings.compact(connection)
    ids = postings.find_words(connection, ["oak", "only2", "only3"])
    assert read(connection, ids["oak"]).chunk_ids.tolist() == [1, 3, 5, 7]
    assert read(connection, ids["oak"]).counts.tolist() == [1, 3, 5, 7]
    assert read(connection, ids["only2"]).chunk_ids.tolist() == []
    assert read(connection, ids["only3"]).chunk_ids.tolist() == [3]


def test_a_word_counts_at_most_255_times(tables: str) -> None:
    connection = connect(tables)
    put(connection, [(1, Counter({"oak": 100_000}))], seal=True)
    word_id = postings.find_words(connection, ["oak"])["oak"]
    assert read(connection, word_id).counts.tolist() == [255]


def test_bm25_is_the_formula_of_the_textbook() -> None:
    counts, lengths = np.array([3, 1], np.uint8), np.array([10, 30, 20], np.int32)
    weight = bm25.inverse_frequency(2, 3)
    got = bm25.contribution(counts, bm25.length_norms(lengths)[:2], weight)
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    for value, tf, length in zip(got, (3, 1), (10, 30), strict=True):
        saturation = bm25.K1 * (1 - bm25.B + bm25.B * length / 20)
        assert value == pytest.approx(idf * tf * (bm25.K1 + 1) / (tf + saturation), rel=1e-5)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_word_has_a_weight_above_zero(frequency: int, chunks: int) -> None:
    assert bm25.inverse_frequency(frequency, chunks) > 0


def test_no_score_passes_the_bound() -> None:
    norms = bm25.length_norms(np.array([1, 50], np.int32))
    counts = np.array([255, 255], np.uint8)
    frequencies = {1: 1, 2: 2}
    total = sum(
        bm25.contribution(counts, norms, bm25.inverse_frequency(n, 2)) for n in frequencies.values()
    )
    assert (total < bm25.upper_bound(frequencies, 2)).all()


def test_common_words_are_left_out_only_where_they_cost() -> None:
    assert bm25.worth_scoring({1: 900, 2: 3}, 1000) == {1: 900, 2: 3}
    assert bm25.worth_scoring({1: 90_000, 2: 3}, 100_000) == {2: 3}
    assert bm25.worth_scoring({1: 90_000}, 100_000) == {1: 90_000}
    assert len(bm25.worth_scoring({n: n for n in range(1, 5000)}, 100_000)) == bm25.MOST_WORDS
