"""Chunks by their ids, for those who noted which ones an answer cites."""

from __future__ import annotations

from skerry.edge.index import Index
from skerry.edge.index.types import Event, Query
from tests.edge.index.conftest import Clock

WARD = frozenset({"ward"})


def ids(index: Index, clock: Clock, *events: Event) -> list[int]:
    index.ingest(events)
    hits = index.search(Query("Who is on call?", labels=WARD, floor=-1.0))
    return [hit.chunk.id for hit in hits]


def on_call(key: str, **more: object) -> Event:
    return Event("rota", key, f"On call is {key}.", **more)  # type: ignore[arg-type]


def test_what_is_there_and_readable(index: Index, clock: Clock) -> None:
    wanted = ids(index, clock, on_call("Lee"), on_call("Roy", labels=WARD))
    assert {one.title for one in index.chunks(wanted)} == {"Lee", "Roy"}
    assert {one.title for one in index.chunks(wanted, labels=WARD)} == {"Lee", "Roy"}
    assert [one.title for one in index.chunks(wanted, labels=frozenset())] == ["Lee"]
    assert index.chunks([]) == index.chunks([10**6]) == []


def test_what_is_gone_stays_gone(index: Index, clock: Clock) -> None:
    wanted = ids(index, clock, on_call("Lee", ttl_seconds=60), on_call("Roy"))
    clock.now += 61
    assert [one.title for one in index.chunks(wanted)] == ["Roy"]
    index.remove("rota")
    index.ingest([on_call("Kim")])
    assert index.chunks(wanted) == []
