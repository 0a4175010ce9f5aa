from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.index.governance import (
    DocumentTable,
    Version,
    document_in_force,
    freshness_alert,
    recency,
    supersession,
    version_key,
    visible,
)
from skerry.edge.index.types import Document, Kind, Query


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1", "2"),
        ("v2.9", "v2.10"),
        ("2", "v3"),
        ("2025-11", "2026-02"),
        ("1.0", "1.0.1"),
        ("draft 1", "draft 2"),
    ],
)
def test_versions_are_ordered_as_people_order_them(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)
    assert not version_key(newer) < version_key(older)


@dataclass(frozen=True)
class Case:
    """A version that is added beside one that is there, and when each ends."""

    name: str
    there: Version
    new: Version
    there_ends: float | None
    new_ends: float | None


CASES = [
    Case("a changed file", Version("a", "", 1), Version("a", "", 5), 5, None),
    Case("again at the same time", Version("a", "", 5), Version("a", "", 5), 5, None),
    Case("from the future", Version("a", "", 1), Version("a", "", 99), 99, None),
    Case("history filled in", Version("a", "", 5), Version("a", "", 1), None, 5),
    Case("a new version elsewhere", Version("a", "1", 1), Version("b", "2", 5), 5, None),
    Case("an old version elsewhere", Version("a", "2", 1), Version("b", "1", 5), None, 1),
    Case("the same version elsewhere", Version("a", "2", 1), Version("b", "2", 5), None, None),
    Case("elsewhere without a version", Version("a", "2", 1), Version("b", "", 5), None, None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_supersession(case: Case) -> None:
    outcome = supersession(case.new, {7: case.there}, {7: None})
    assert outcome.others_end_at.get(7) == case.there_ends
    assert outcome.new_ends_at == case.new_ends


def test_an_end_is_never_put_off() -> None:
    outcome = supersession(Version("a", "", 9), {7: Version("a", "", 1)}, {7: 5.0})
    assert outcome.others_end_at == {7: 5.0}


@given(begins=st.lists(st.integers(0, 6), min_size=1, max_size=6), at=st.integers(0, 7))
def test_of_one_source_at_most_one_version_is_in_force(begins: list[int], at: int) -> None:
    versions: dict[int, Version] = {}
    ends: dict[int, float | None] = {}
    for number, begin in enumerate(begins):
        new = Version("a", "", begin)
        outcome = supersession(new, versions, ends)
        ends.update(outcome.others_end_at)
        versions[number], ends[number] = new, outcome.new_ends_at
    in_force = [
        number
        for number, version in versions.items()
        if version.valid_from <= at < (np.inf if ends[number] is None else ends[number])
    ]
    begun = [begin for begin in begins if begin <= at]
    assert len(in_force) == min(1, len(begun))
    if begun:
        assert versions[in_force[0]].valid_from == max(begun)


TIMES = st.integers(0, 8).map(float)
LABELS = st.frozensets(st.sampled_from("xy"))
DOCUMENTS = st.builds(
    Document,
    id=st.just(0),
    title=st.just(""),
    source=st.just("s"),
    kind=st.sampled_from(Kind),
    version=st.just(""),
    digest=st.just(""),
    added_at=TIMES,
    valid_from=TIMES,
    expires_at=st.none() | TIMES,
    superseded_at=st.none() | TIMES,
    labels=LABELS,
    domain=st.sampled_from(["", "ward"]),
    chunks=st.just(1),
    size_bytes=st.just(1),
)
QUERIES = st.builds(
    Query,
    text=st.just("q"),
    kinds=st.frozensets(st.sampled_from(Kind)),
    labels=LABELS,
    domain=st.none() | st.sampled_from(["", "ward"]),
    as_of=st.none() | TIMES,
)


def table(documents: list[Document]) -> DocumentTable:
    label_sets = list({document.labels for document in documents})
    domains = list({document.domain for document in documents})

    def times(name: str) -> np.ndarray:
        ends = [getattr(document, name) for document in documents]
        return np.array([np.inf if end is None else end for end in ends])

    return DocumentTable(
        ids=np.arange(len(documents)),
        alive=np.ones(len(documents), bool),
        fluid=np.array([document.kind is Kind.FLUID for document in documents]),
        begins=times("valid_from"),
        expires=times("expires_at"),
        superseded=times("superseded_at"),
        half_life=np.full(len(documents), 10.0),
        label_set=np.array([label_sets.index(d.labels) for d in documents], np.int32),
        domain=np.array([domains.index(d.domain) for d in documents], np.int32),
        source=np.zeros(len(documents), np.int32),
        label_sets=label_sets,
        domains=domains,
        sources=["s"],
    )


@given(documents=st.lists(DOCUMENTS, min_size=1, max_size=8), query=QUERIES, now=TIMES)
def test_what_is_visible_is_what_each_rule_lets_through(
    documents: list[Document], query: Query, now: float
) -> None:
    at = now if query.as_of is None else query.as_of
    expected = [
        document_in_force(document, at, now)
        and document.kind in query.kinds
        and document.labels <= query.labels
        and query.domain in (None, document.domain)
        for document in documents
    ]
    assert visible(table(documents), query, now).tolist() == expected


@given(document=DOCUMENTS, at=TIMES, now=TIMES)
def test_an_expired_record_is_never_in_force_again(
    document: Document, at: float, now: float
) -> None:
    expired = replace(document, kind=Kind.FLUID, expires_at=now)
    assert not document_in_force(expired, at, now)


def test_a_record_counts_half_after_each_half_life() -> None:
    one = table([replace(DOCUMENT, valid_from=0.0)])
    rows = np.array([0], np.int32)
    assert [recency(one, rows, now)[0] for now in (-5.0, 0.0, 10.0, 20.0)] == [1, 1, 0.5, 0.25]


DOCUMENT = Document(
    id=1,
    title="",
    source="s",
    kind=Kind.FLUID,
    version="",
    digest="",
    added_at=0.0,
    valid_from=0.0,
    expires_at=None,
    superseded_at=None,
    labels=frozenset(),
    domain="",
    chunks=1,
    size_bytes=1,
)


@pytest.mark.parametrize(
    ("age", "sla", "words"),
    [
        (5.0, 10.0, ""),
        (10.0, 10.0, ""),
        (5.0, None, ""),
        (None, None, ""),
        (11.0, 10.0, "is 11 s old"),
        (None, 10.0, "has sent nothing"),
    ],
)
def test_a_broken_promise_raises_an_alert(age: float | None, sla: float | None, words: str) -> None:
    alert = freshness_alert("rota", age, sla)
    assert words in alert
    assert bool(alert) == bool(words)
