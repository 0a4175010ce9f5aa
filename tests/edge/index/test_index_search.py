from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.encoder import TextEncoder
from skerry.edge.errors import InputError
from skerry.edge.index import Event, Hit, Index, IndexSettings, Metadata, Query
from tests.edge.index.conftest import Clock, RandomEncoder, Write

HOSTILE = [
    "\0",
    "a\0b",
    "?!… ''\"",
    '" OR text:* NEAR("x")',
    "AND OR NOT *",
    "'; DROP TABLE chunks; --",
    "-" * 10_000,
    "\ud800 lone",
    "ﷺ" * 100,
    "\u202eright to left",
    "🐟" * 50,
    " ".join(f"w{n}" for n in range(3000)),
    "x" * 10_000_000,
    "word " * 2_000_000,
]


@pytest.fixture
def filled(index: Index, write: Write, tmp_path: Path) -> Index:
    write("trolley.md", "# Trolley\n\nThe emergency trolley is checked every morning.")
    write("fire.md", "# Fire\n\nIn case of fire close the doors and ring 112.")
    write("fridge.md", "# Fridge\n\nVaccines are kept in the fridge between 2 and 8 degrees.")
    index.add([tmp_path / "docs"])
    return index


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_hostile_text_is_only_text(filled: Index, text: str) -> None:
    began = time.monotonic()
    filled.search(Query(text))
    assert time.monotonic() - began < 5
    assert filled.verify().ok


@pytest.mark.parametrize(
    "query",
    [
        Query(""),
        Query(" \n"),
        Query("fire", limit=0),
        Query("fire", limit=-1),
        Query("fire", per_source=0),
    ],
)
def test_a_query_that_can_find_nothing_is_refused(filled: Index, query: Query) -> None:
    with pytest.raises(InputError):
        filled.search(query)


def test_a_vector_of_another_shape_is_refused(filled: Index) -> None:
    with pytest.raises(InputError, match="shape"):
        filled.search(Query("fire"), np.zeros(3, np.float32))


def test_an_empty_index_finds_nothing(index: Index) -> None:
    assert index.search(Query("fire")) == []
    assert index.stats().chunks == 0


def test_the_best_chunk_is_first_with_both_its_scores(filled: Index) -> None:
    (best, *_) = filled.search(Query("Where do I keep vaccines?"))
    assert best.chunk.title == "Fridge"
    assert 0 < best.similarity <= 1
    assert 0 < best.score <= 1
    assert best.bm25 is not None


def test_a_vector_that_is_given_is_not_computed_again(filled: Index, encoder: TextEncoder) -> None:
    (vector,) = encoder.encode(["vaccines"])
    with_vector = filled.search(Query("What to do in a fire?"), vector)
    assert with_vector[0].similarity == pytest.approx(
        filled.search(Query("vaccines"))[0].similarity
    )


def test_no_chunk_is_better_than_a_wrong_one(filled: Index) -> None:
    assert filled.search(Query("Who won the football match last night?")) == []
    assert filled.search(Query("Where do I keep vaccines?", floor=0.99)) == []
    assert len(filled.search(Query("Where do I keep vaccines?", floor=-1.0))) == 3


def test_limits(filled: Index, write: Write) -> None:
    parts = "".join(f"## Fire {n}\n\nFire drill number {n} is on day {n}.\n\n" for n in range(12))
    filled.add([write("drills.md", parts)])
    query = Query("fire drill", floor=-1.0, limit=5, per_source=2)
    sources = [Path(hit.chunk.source).name for hit in filled.search(query)]
    assert len(sources) == 5
    assert sources.count("drills.md") == 2
    assert len(filled.search(replace(query, per_source=9, limit=9))) == 9


def test_one_long_source_does_not_hide_the_others(tmp_path: Path, write: Write) -> None:
    drills = "".join(f"## Fire {n}\n\nFire drill fire drill {n}.\n\n" for n in range(60))
    settings_ = IndexSettings(pool=20, floor=-1.0, dense_weight=0.0)
    with Index.open(tmp_path / "i.db", RandomEncoder(), settings=settings_) as index:
        index.add([write("drills.md", drills), write("door.md", "One door has a fire sign.")])
        hits = index.search(Query("fire drill", limit=6, per_source=4))
    assert [Path(hit.chunk.source).name for hit in hits] == 4 * ["drills.md"] + ["door.md"]


def test_equal_chunks_come_in_the_order_they_were_added(index: Index, write: Write) -> None:
    same = [write(f"{name}/fire.md", "# Fire\n\nClose the doors.") for name in "cab"]
    for path in same:
        index.add([path])
    hits = index.search(Query("fire doors"))
    assert [hit.chunk.source for hit in hits] == [str(path) for path in same]
    assert hits == index.search(Query("fire doors"))


def test_a_domain_is_searched_alone(index: Index, write: Write) -> None:
    for domain in ("ward", "kitchen"):
        path = write(f"{domain}.md", f"# Fire\n\nFire in the {domain}: close the doors.")
        index.add([path], metadata=Metadata(domain=domain))
    hits = index.search(Query("fire", domain="kitchen"))
    assert [hit.chunk.domain for hit in hits] == ["kitchen"]
    assert index.search(Query("fire", domain="nothing")) == []


class Reverse:
    """A reranker that turns the order round and drops the first."""

    seen = 0

    def rerank(self, text: str, hits: Sequence[Hit]) -> Sequence[Hit]:
        self.seen = len(hits)
        return list(reversed(hits))[1:]


def test_a_reranker_has_the_last_word(tmp_path: Path, encoder: TextEncoder) -> None:
    reranker = Reverse()
    with Index.open(tmp_path / "i.db", encoder, reranker=reranker) as index:
        index.ingest([Event("s", f"k{n}", f"Fire drill number {n}") for n in range(9)])
        query = Query("fire drill", limit=2, per_source=9)
        hits = index.search(query)
    with Index.open(tmp_path / "i.db", encoder) as index:
        plain = index.search(replace(query, limit=8))
    assert reranker.seen == 8
    assert [hit.chunk.id for hit in hits] == [hit.chunk.id for hit in plain[::-1][1:3]]


WORDS = ["oak", "elm", "ash", "fir", "yew", "bay", "fig"]
RECORDS = st.lists(
    st.tuples(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
        st.frozensets(st.sampled_from("xy")),
        st.sampled_from(["", "ward"]),
        st.integers(1, 5),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(
    records=RECORDS,
    labels=st.frozensets(st.sampled_from("xy")),
    domain=st.none() | st.sampled_from(["", "ward"]),
    passed=st.integers(0, 5),
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join),
)
def test_filtered_search_finds_exactly_what_may_be_seen(  # noqa: PLR0917 - drawn by name
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[str, frozenset[str], str, int]],
    labels: frozenset[str],
    domain: str | None,
    passed: int,
    words: str,
) -> None:
    clock, encoder = Clock(), RandomEncoder()
    events = [
        Event("s", str(n), text, labels=lab, domain=dom, ttl_seconds=ttl, at=clock.now)
        for n, (text, lab, dom, ttl) in enumerate(records)
    ]
    path = tmp_path_factory.mktemp("index") / "i.db"
    with Index.open(path, encoder, clock=clock) as index:
        index.ingest(events)
        clock.now += passed
        query = Query(words, 99, labels=labels, domain=domain, floor=-1.0, per_source=99)
        hits = index.search(query)
    expected = {
        event.key
        for event, (_, lab, dom, ttl) in zip(events, records, strict=True)
        if lab <= labels and domain in (None, dom) and passed < ttl
    }
    assert {hit.chunk.title for hit in hits} == expected
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    for hit in hits:
        matches = set(words.split()) & {*hit.chunk.text.split(), hit.chunk.title}
        assert (hit.bm25 is not None) == bool(matches)
        text = f"{hit.chunk.title}\n{hit.chunk.text}"
        if hit.chunk.title in hit.chunk.text:
            text = hit.chunk.text
        cosine = float(encoder.encode([text])[0] @ encoder.encode([words])[0])
        assert hit.similarity == pytest.approx(cosine, abs=0.01)


def sections(count: int, seed: int) -> str:
    draw = np.random.default_rng(seed)
    return "".join(f"## n{n}\n\n{' '.join(draw.choice(WORDS, 5))}\n\n" for n in range(count))


def test_a_filter_that_removes_nearly_all_loses_nothing(tmp_path: Path, write: Write) -> None:
    encoder = RandomEncoder()
    many, few = write("many.md", sections(5000, 1)), write("few.md", sections(50, 2))
    dense = IndexSettings(dense_weight=1.0)
    with Index.open(tmp_path / "i.db", encoder, settings=dense) as index:
        index.add([few], metadata=Metadata(domain="few"))
        alone = [index.search(query(word, None)) for word in WORDS]
        index.add([many], metadata=Metadata(domain="many"))
        assert index.stats().chunks == 5050
        filtered = [index.search(query(word, "few")) for word in WORDS]
    for before, after in zip(alone, filtered, strict=True):
        assert len(after) == 10
        assert [hit.chunk.id for hit in after] == [hit.chunk.id for hit in before]
        assert [hit.similarity for hit in after] == [hit.similarity for hit in before]


def query(word: str, domain: str | None) -> Query:
    return Query(word, 10, domain=domain, floor=-1.0, per_source=99)
