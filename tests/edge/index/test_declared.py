"""Adding again: what was declared of a source goes on holding until the caller says otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.errors import InputError
from skerry.edge.index import Document, Event, Index, Kind, Metadata, Query
from skerry.edge.index.declared import Declaration, again, from_text, renewed
from tests.edge.index.conftest import DAY, Clock, RandomEncoder, Write

NOW = Clock().now
LATER = NOW + 9 * DAY
BOSS = frozenset({"boss"})
EVERYTHING = Metadata("Safe", "7", NOW - DAY, LATER, BOSS, "office")
OWN = "---\nlabels: ward\n---\n"
BODY = "The safe is in the cellar."
CHANGED = "The safe is in the attic."


@dataclass(frozen=True)
class Case:
    """What a file and its caller say first, what they say then, and what holds in the end.

    `seen` are title, version, beginning, expiry, labels and domain.
    """

    name: str
    first: tuple[str, Metadata]
    then: tuple[str, Metadata]
    seen: tuple[object, ...]


AS_BEFORE = ("Safe", "7", NOW - DAY, LATER, BOSS, "office")
CASES = [
    Case("the same again", (BODY, EVERYTHING), (BODY, Metadata()), AS_BEFORE),
    Case("new content", (BODY, EVERYTHING), (CHANGED, Metadata()),
         ("Safe", "", NOW + DAY, LATER, BOSS, "office")),
    Case("other labels", (BODY, EVERYTHING), (BODY, Metadata(labels=frozenset("x"))),
         (*AS_BEFORE[:4], frozenset("x"), "office")),
    Case("no labels", (BODY, EVERYTHING), (BODY, Metadata(labels=frozenset())),
         (*AS_BEFORE[:4], frozenset(), "office")),
    Case("no labels for new content", (BODY, Metadata(labels=BOSS)),
         (CHANGED, Metadata(labels=frozenset())), ("A", "", NOW + DAY, None, frozenset(), "")),
    Case("one fact", (BODY, EVERYTHING), (BODY, Metadata(version="8")),
         ("Safe", "8", *AS_BEFORE[2:])),
    Case("everything taken back", (BODY, EVERYTHING),
         (BODY, Metadata("", "", NOW, math.inf, frozenset(), "")),
         ("A", "", NOW, None, frozenset(), "")),
    Case("the document's own labels stay", (OWN + BODY, Metadata()),
         (OWN + BODY, Metadata(labels=frozenset())),
         ("A", "", NOW, None, frozenset({"ward"}), "")),
    Case("the document's own labels are lost", (OWN + BODY, Metadata()), (BODY, Metadata()),
         ("A", "", NOW + DAY, None, frozenset({"ward"}), "")),
    Case("both labels stay when front matter breaks", (OWN + BODY, Metadata(labels=BOSS)),
         ("---\nlabels ward\n---\n" + BODY, Metadata()),
         ("A", "", NOW + DAY, None, frozenset({"ward", "boss"}), "")),
    Case("the document's own labels grow", (OWN + BODY, Metadata()),
         (OWN.replace("ward", "staff") + BODY, Metadata()),
         ("A", "", NOW + DAY, None, frozenset({"ward", "staff"}), "")),
    Case("the document's own labels are dropped on purpose", (OWN + BODY, Metadata()),
         (BODY, Metadata(labels=frozenset())), ("A", "", NOW + DAY, None, frozenset(), "")),
]  # fmt: skip


def facts(document: Document) -> tuple[object, ...]:
    return (
        document.title,
        document.version,
        document.valid_from,
        document.expires_at,
        document.labels,
        document.domain,
    )


@pytest.fixture
def quick(tmp_path: Path, clock: Clock) -> Index:
    return Index.open(tmp_path / "quick.db", RandomEncoder(), clock=clock)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_holds_after_a_second_add(
    quick: Index, write: Write, clock: Clock, case: Case
) -> None:
    with quick:
        for text, declared in (case.first, case.then):
            quick.add(write("a.txt", text), metadata=declared)
            clock.now += DAY
        assert facts(quick.documents()[-1]) == case.seen
        for again_ in range(3):
            report = quick.add(write("a.txt", case.then[0]))
            assert len(report.unchanged) == 1, again_
        assert facts(quick.documents()[-1]) == case.seen


def test_a_labelled_file_stays_closed_when_its_folder_is_added(
    index: Index, write: Write, tmp_path: Path, clock: Clock
) -> None:
    write("open.md", "# Door\n\nThe door is open.")
    index.add(write("safe.md", f"# Safe\n\n{BODY}"), metadata=Metadata(labels=BOSS))
    for text in (BODY, CHANGED, BODY):
        clock.now += DAY
        write("safe.md", f"# Safe\n\n{text}")
        index.add(tmp_path / "docs")
        assert {document.title for document in index.documents(labels=frozenset())} == {"Door"}
        for at in (None, clock.now, clock.now - DAY):
            hits = index.search(Query("Where is the safe?", as_of=at, floor=-1.0))
            assert {hit.chunk.title for hit in hits} <= {"Door"}
    assert len(index.search(Query("Where is the safe?", labels=BOSS))) == 1


def test_a_fluid_file_stays_fluid(quick: Index, write: Write, clock: Clock) -> None:
    with quick:
        quick.add(write("rota.txt", "Dr Lee"), kind=Kind.FLUID)
        for text in ("Dr Lee", "Dr Roy"):
            quick.add(write("rota.txt", text))
            (document,) = quick.documents(include_superseded=True)
            assert (document.kind, document.expires_at) == (Kind.FLUID, clock.now + 30 * DAY)
        quick.add(write("rota.txt", "Dr Roy"), kind=Kind.ANCHORED)
        assert [d.kind for d in quick.documents()] == [Kind.ANCHORED]


@dataclass(frozen=True)
class RecordCase:
    """A record, the one that replaces it, and the title, labels and domain in the end."""

    name: str
    then: Event
    seen: tuple[str, frozenset[str], str]


FIRST = Event("s", "k", "one", "T", labels=BOSS, domain="d")
RECORD_CASES = [
    RecordCase("nothing said", Event("s", "k", "two"), ("T", BOSS, "d")),
    RecordCase("the same text", Event("s", "k", "one"), ("T", BOSS, "d")),
    RecordCase("all said", Event("s", "k", "two", "U", labels=frozenset("x"), domain="e"),
               ("U", frozenset("x"), "e")),
    RecordCase("taken back", Event("s", "k", "two", "", labels=frozenset(), domain=""),
               ("k", frozenset(), "")),
]  # fmt: skip


@pytest.mark.parametrize("case", RECORD_CASES, ids=lambda case: case.name)
def test_what_holds_of_the_next_record(quick: Index, clock: Clock, case: RecordCase) -> None:
    with quick:
        quick.ingest([FIRST])
        clock.now += 60
        assert quick.ingest([case.then]).updated == ("s#k",)
        (document,) = quick.documents()
    assert (document.title, document.labels, document.domain) == case.seen


@dataclass(slots=True)
class Interrupted:
    """A clock at whose first look another writer acts."""

    act: Callable[[], object] | None = None

    def __call__(self) -> float:
        act, self.act = self.act, None
        if act:
            act()
        return NOW


@pytest.mark.parametrize("kind", Kind)
def test_labels_that_another_writer_declares_meanwhile_stay(
    tmp_path: Path, write: Write, kind: Kind
) -> None:
    path = write("safe.txt", BODY)
    clock = Interrupted()
    with (
        Index.open(tmp_path / "i.db", RandomEncoder(), clock=Clock()) as other,
        Index.open(tmp_path / "i.db", RandomEncoder(), clock=clock) as index,
    ):
        if kind is Kind.ANCHORED:
            clock.act = lambda: other.add(path, metadata=Metadata(labels=BOSS))
            index.add(path, metadata=Metadata(domain="office"))
        else:
            clock.act = lambda: other.ingest([Event("s", "k", BODY, labels=BOSS, at=NOW)])
            index.ingest([Event("s", "k", BODY, domain="office", at=NOW)])
        (document,) = index.documents()
    assert (document.labels, document.domain) == (BOSS, "office")


def test_a_file_that_others_write_without_end_is_listed_as_failed(
    tmp_path: Path, write: Write
) -> None:
    path = write("safe.txt", BODY)
    with Index.open(tmp_path / "i.db", RandomEncoder(), clock=Clock()) as other:
        versions = iter(range(99))

        def meddling() -> float:
            other.add(path, metadata=Metadata(version=str(next(versions))))
            return NOW

        with Index.open(tmp_path / "i.db", RandomEncoder(), clock=meddling) as index:
            (failure,) = index.add(path, metadata=Metadata(domain="office")).failed
    assert "another process" in failure.what
    assert failure.hint


TIMES = st.none() | st.floats(allow_nan=False)
METADATA = st.builds(
    Metadata,
    title=st.none() | st.text(max_size=3),
    version=st.none() | st.text(max_size=3),
    valid_from=TIMES,
    expires_at=TIMES,
    labels=st.none() | st.frozensets(st.sampled_from("xy")),
    domain=st.none() | st.text(max_size=3),
)
DECLARATIONS = st.builds(Declaration, st.none() | st.sampled_from(Kind), METADATA)


@given(DECLARATIONS)
def test_a_declaration_is_read_as_it_was_written(declaration: Declaration) -> None:
    assert from_text(declaration.as_text()) == declaration


def test_a_declaration_of_an_older_file_is_read() -> None:
    old = '{"domain": "", "expires_at": null, "kind": "anchored", "labels": ["boss"], '
    old += '"title": null, "valid_from": null, "version": "2"}'
    assert from_text(old).metadata == Metadata(version="2", labels=BOSS, domain="")
    assert from_text(old).as_text() == old


@given(DECLARATIONS, DECLARATIONS)
def test_saying_nothing_changes_nothing(old: Declaration, new: Declaration) -> None:
    silent = Declaration(None, Metadata())
    assert again(silent, old) == old
    assert again(new, again(new, old)) == again(new, old)


@given(DECLARATIONS, st.frozensets(st.sampled_from("xyz")))
def test_new_content_never_has_fewer_labels_by_silence(
    old: Declaration, labels: frozenset[str]
) -> None:
    kept = renewed(Declaration(None, Metadata()), old, labels).metadata
    assert (kept.labels or frozenset()) == labels
    assert (kept.title, kept.expires_at, kept.domain) == (
        old.metadata.title,
        old.metadata.expires_at,
        old.metadata.domain,
    )


@pytest.mark.parametrize(
    "bad",
    [
        {"title": "x" * 501},
        {"version": "9" * 5000},
        {"domain": "x" * 501},
        {"labels": frozenset({"x" * 501})},
        {"labels": frozenset({""})},
        {"labels": frozenset({"a,b"})},
        {"labels": frozenset({" a"})},
        {"labels": frozenset(map(str, range(101)))},
        {"valid_from": math.nan},
        {"valid_from": math.inf},
        {"expires_at": math.nan},
        {"expires_at": -math.inf},
    ],
    ids=str,
)
def test_what_cannot_be_declared(quick: Index, write: Write, bad: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        quick.add(write("a.txt", BODY), metadata=Metadata(**bad))
    assert caught.value.hint
    assert len(caught.value.what) < 100
    fields = {name: value for name, value in bad.items() if name in ("title", "domain", "labels")}
    if fields:
        report = quick.ingest([Event("rota", "x", BODY, **fields), Event("rota", "y", BODY)])
        assert (len(report.failed), len(report.added)) == (1, 1)
    assert len(quick.documents()) == len(fields)
