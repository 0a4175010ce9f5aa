from __future__ import annotations

import math

import pytest

from skerry.edge.errors import InputError
from skerry.edge.index import Event, Index, Kind, Query
from tests.edge.index.conftest import DAY, Clock

QUESTION = "Who is on call?"


def found(index: Index, **query: object) -> list[str]:
    return [hit.chunk.text for hit in index.search(Query(QUESTION, **query))]  # type: ignore[arg-type]


def on_call(who: str, key: str = "now", **more: object) -> Event:
    return Event("rota", key, f"On call is {who}.", **more)  # type: ignore[arg-type]


def test_a_record_replaces_the_one_before_it(index: Index, clock: Clock) -> None:
    assert index.ingest([on_call("Lee")]).added == ("rota#now",)
    clock.now += 60
    assert index.ingest([on_call("Roy")]).updated == ("rota#now",)
    assert found(index) == ["On call is Roy."]
    assert found(index, as_of=clock.now - 30) == []
    assert index.verify().ok


def test_a_record_that_comes_late_does_not_replace_a_newer_one(index: Index, clock: Clock) -> None:
    index.ingest([on_call("Roy", at=clock.now - 10)])
    assert index.ingest([on_call("Lee", at=clock.now - 20)]).skipped == 1
    assert found(index) == ["On call is Roy."]


def test_the_same_record_twice(index: Index, clock: Clock) -> None:
    event = on_call("Lee", at=clock.now)
    index.ingest([event])
    assert index.ingest([event]).unchanged == ("rota#now",)


def test_a_record_is_never_served_after_its_expiry(index: Index, clock: Clock) -> None:
    then = clock.now
    index.ingest([on_call("Lee", ttl_seconds=60)])
    (document,) = index.documents()
    clock.now += 59.9
    assert found(index) == ["On call is Lee."]
    clock.now = then + 60
    assert found(index) == found(index, as_of=then) == index.documents() == []
    with pytest.raises(InputError):
        index.document_text(document.id)


def test_expired_records_are_deleted_by_the_next_change(index: Index, clock: Clock) -> None:
    index.ingest([on_call("Lee", ttl_seconds=60)])
    clock.now += 61
    index.ingest([on_call("Roy", key="other")])
    assert [d.title for d in index.documents(include_superseded=True)] == ["other"]
    assert index.ingest([on_call("Lee", at=clock.now - 99, ttl_seconds=60)]).skipped == 1


def test_newer_records_come_first(index: Index, clock: Clock) -> None:
    ages = {"a": 20 * DAY, "b": 0.0, "c": 5 * DAY}
    index.ingest([on_call("Lee", key=key, at=clock.now - age) for key, age in ages.items()])
    hits = index.search(Query(QUESTION))
    assert [hit.chunk.title for hit in hits] == ["b", "c", "a"]
    assert hits[0].score > hits[1].score > hits[2].score


def test_each_source_has_its_half_life(index: Index, clock: Clock) -> None:
    for source in ("slow", "quick"):
        index.ingest([Event(source, "k", "On call is Lee.", title="t", at=clock.now - DAY)])
    index.set_half_life("quick", DAY)
    index.set_half_life("slow", 1000 * DAY)
    scores = {hit.chunk.source: hit.score for hit in index.search(Query(QUESTION))}
    assert scores["quick"] == pytest.approx(scores["slow"] / 2, rel=0.01)
    index.set_half_life("quick", None)
    scores = {hit.chunk.source: hit.score for hit in index.search(Query(QUESTION))}
    assert scores["quick"] > scores["slow"] * 0.85


def test_freshness(index: Index, clock: Clock) -> None:
    index.set_sla("rota", 3600)
    index.set_sla("stock", 60)
    index.ingest([on_call("Lee", ttl_seconds=10)])
    assert [(f.source, bool(f.alert)) for f in index.freshness()] == [
        ("rota", False),
        ("stock", True),
    ]
    clock.now += 3601
    index.ingest([])  # the record has expired and is deleted; when it came is still known
    rota, _ = index.freshness()
    assert (rota.age_seconds, bool(rota.alert)) == (3601, True)
    index.set_sla("rota", None)
    assert index.freshness()[0].alert == ""


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_times_that_are_none(index: Index, seconds: float) -> None:
    with pytest.raises(InputError):
        index.set_sla("rota", seconds)
    with pytest.raises(InputError):
        index.set_half_life("rota", seconds)


@pytest.mark.parametrize(
    "event",
    [
        Event("", "k", "text"),
        Event("s", "", "text"),
        Event("s", "k", ""),
        Event("s", "k", " \0 \n"),
        Event("s", "k", "text", at=math.nan),
        Event("s", "k", "text", ttl_seconds=0),
        Event("s", "k", "text", ttl_seconds=math.inf),
    ],
)
def test_a_bad_record_is_listed_and_the_others_go_in(index: Index, event: Event) -> None:
    report = index.ingest([event, on_call("Lee")])
    assert len(report.failed) == len(report.added) == 1
    assert report.failed[0].what
    assert found(index) == ["On call is Lee."]


def test_text_that_utf8_cannot_hold(index: Index) -> None:
    index.ingest([Event("s\ud800", "k\0", "On call is \ud800 Lee\0.", title="\udfff")])
    assert found(index) == ["On call is ? Lee ."]


def test_labels_domain_and_kind_of_records(index: Index) -> None:
    index.ingest([on_call("Lee", labels=frozenset({"ward"}), domain="staff")])
    assert found(index) == []
    ward = frozenset({"ward"})
    assert len(found(index, labels=ward, domain="staff")) == 1
    assert found(index, labels=ward, domain="stock") == []
    assert found(index, labels=ward, kinds=frozenset({Kind.ANCHORED})) == []


def test_a_long_record_is_cut_and_replaced_whole(index: Index, clock: Clock) -> None:
    sentence = "The ward on the third floor has a free bed. "
    index.ingest([Event("beds", "all", sentence * 100)])
    assert index.stats().chunks > 3
    clock.now += 1
    index.ingest([Event("beds", "all", "No bed is free.")])
    assert index.stats().chunks == 1
    assert index.verify().ok
