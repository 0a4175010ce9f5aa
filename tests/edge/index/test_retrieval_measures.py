"""The measures by which the benchmark of retrieval judges."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("zstandard")

from benchmarks.retrieval import Task, Text, ndcg, rank_fusion, recall, sample

AB = frozenset("ab")


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        ("abcd", 1.0),
        ("cdef", 0.0),
        ("", 0.0),
        ("cabd", (1 / math.log2(3) + 1 / 2) / (1 + 1 / math.log2(3))),
        ("cdefghijklab", 0.0),
    ],
)
def test_ndcg(ranking: str, expected: float) -> None:
    assert ndcg(ranking, AB) == pytest.approx(expected)


def test_ndcg_with_more_relevant_documents_than_places() -> None:
    assert ndcg("abcdefghij", frozenset("abcdefghijklmnop")) == pytest.approx(1.0)


def test_recall_is_of_the_first_ten() -> None:
    assert recall("cdefghijka", AB) == 1.0
    assert recall("cdefghijkla", AB) == 0.0


def test_rank_fusion_prefers_what_both_found() -> None:
    assert rank_fusion("xab", "yab")[0] == "a"
    assert rank_fusion("ab", "") == ["a", "b"]


def test_a_sample_has_the_answers_to_its_queries() -> None:
    documents = [Text(f"d{n}", "", "") for n in range(50)]
    queries = {f"q{n}": "" for n in range(50)}
    task = Task(documents, queries, {f"q{n}": frozenset({f"d{n}"}) for n in range(50)}, recall)
    chosen = sample(task, 5, 12, seed=1)
    names = {document.name for document in chosen.documents}
    assert (len(chosen.queries), len(names)) == (5, 12)
    assert all(chosen.relevant[query] <= names for query in chosen.queries)
    assert sample(task, 5, 12, seed=1) == chosen
