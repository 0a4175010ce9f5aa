"""How a request runs and ends: streams, threads, asyncio, early leaving, errors, closing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from skerry.edge import (
    Consent,
    Finished,
    Request,
    RouteDecided,
    Runtime,
    SourcesFound,
    TextReleased,
)
from skerry.edge.engines.base import FinishReason, Generation, Piece
from skerry.edge.errors import Closed, CloudError, StateError
from skerry.edge.receipts import ReceiptStore
from skerry.edge.types import LatencyBudget, RequestClass
from tests.edge.asking import QUESTION, Cloud, route_as


def test_without_a_place_for_the_receipt_nothing_is_answered(
    make_runtime, handbook: Path, scripted, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.sqlite"
    junk.write_bytes(b"\x13" * 5000)
    runtime = make_runtime(route_as(RequestClass.QUESTION), state=junk, offline=True)
    runtime.index.add([handbook])
    with pytest.raises(StateError) as caught:
        runtime.ask(QUESTION)
    assert not scripted.seen
    assert "emergency" not in caught.value.hint
    with pytest.raises(StateError) as caught:
        runtime.ask("I took 40 tablets an hour ago")
    assert "call your emergency number" in caught.value.hint
    assert not scripted.seen


def test_what_comes_before_the_draft_takes_none_of_its_time(
    make_runtime, handbook: Path, scripted
) -> None:
    class SlowToLoad:
        @contextmanager
        def engine(self, wanted: str) -> Iterator[Any]:
            time.sleep(0.6)
            yield scripted

    runtime = make_runtime({**route_as(RequestClass.QUESTION), "pool": SlowToLoad()}, offline=True)
    runtime.index.add([handbook])
    reply = runtime.ask(QUESTION, budget=LatencyBudget(500, 500))
    assert reply.finish is FinishReason.STOP


def test_the_stream_is_the_answer(asks: Runtime) -> None:
    events = list(asks.stream(QUESTION))
    assert isinstance(events[0], RouteDecided)
    assert isinstance(events[1], SourcesFound)
    assert isinstance(events[-1], Finished)
    shown = "".join(event.text for event in events if isinstance(event, TextReleased))
    assert shown.strip() == events[-1].reply.text


def test_a_session_remembers(asks: Runtime, scripted) -> None:
    session = asks.parts.sessions.create().id
    asks.ask(QUESTION, session=session)
    asks.ask("Who checks the emergency trolley?", session=session)
    said = [message["content"] for message in scripted.seen[1].messages]
    assert QUESTION in said
    turns = asks.parts.sessions.get(session).turns
    assert [turn.role for turn in turns] == ["user", "assistant"] * 2
    assert turns[1].receipt_id is not None


def test_asyncio(asks: Runtime) -> None:
    async def both() -> tuple[str, str]:
        shown = [e.text async for e in asks.astream(QUESTION) if isinstance(e, TextReleased)]
        return "".join(shown).strip(), (await asks.aask(QUESTION)).text

    streamed, whole = asyncio.run(both())
    assert streamed == whole


def test_leaving_an_async_stream_cancels(asks: Runtime) -> None:
    request = Request(QUESTION)

    async def leave() -> None:
        events = asks.astream(request)
        await anext(events)
        await events.aclose()

    asyncio.run(leave())
    assert request.cancel.is_set()


def test_many_threads_ask_at_once(asks: Runtime) -> None:
    replies: list[str] = []
    threads = [
        threading.Thread(target=lambda: replies.append(asks.ask(QUESTION).text)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 8
    assert len(set(replies)) == 1


def test_who_leaves_early_has_a_receipt_of_what_was_sent(hard: Runtime, cloud: Cloud) -> None:
    stream = hard.stream(QUESTION, consent=Consent.GRANTED)
    assert any(isinstance(event, TextReleased) for event in stream)
    stream.close()  # type: ignore[attr-defined]  # a generator
    receipt = hard.parts.receipts.get("last")
    (egress,) = receipt.egress
    assert egress.bytes_sent == cloud.received_bytes > 0
    assert (receipt.answered_by, receipt.output_digest) == (None, None)
    assert "nobody waited" in (receipt.error or "")


def test_an_interrupted_answer_has_a_receipt(
    asks: Runtime, scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> Iterator[Piece]:
        yield Piece("The emergency")
        raise KeyboardInterrupt

    monkeypatch.setattr(scripted, "generate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        asks.ask(QUESTION)
    assert "nobody waited" in (asks.parts.receipts.get("last").error or "")


def test_leaving_after_the_runtime_is_an_error_of_nobody(asks: Runtime) -> None:
    stream = asks.stream(QUESTION)
    assert any(isinstance(event, TextReleased) for event in stream)
    asks.close()
    stream.close()  # type: ignore[attr-defined]  # a generator


def test_an_error_has_a_receipt_too(
    make_runtime, handbook: Path, cloud: Cloud, tmp_path: Path
) -> None:
    cloud.status = 400
    only_cloud = tmp_path / "only-cloud.toml"
    only_cloud.write_text('extends = "defaults"\n[classes.retrieval_question]\ntiers = []\n')
    parts = route_as(RequestClass.QUESTION, complexity=0.95)
    places = {"policy": only_cloud, "cloud_url": cloud.url, "cloud_model": "large"}
    runtime = make_runtime(parts, **places, consent="granted")
    runtime.index.add([handbook])
    with pytest.raises(CloudError) as caught:
        runtime.ask(QUESTION, consent=Consent.GRANTED)
    receipt = runtime.parts.receipts.get("last")
    assert receipt.error == caught.value.what
    assert receipt.answered_by is None


def test_a_closed_runtime_answers_nothing(hard: Runtime, cloud: Cloud) -> None:
    hard.close()
    hard.close()
    calls: list[Callable[[], object]] = [
        lambda: hard.ask(QUESTION),
        lambda: hard.route(QUESTION),
        lambda: hard.index,
        lambda: next(hard.complete(Generation(prompt="Hello"))),
        lambda: asyncio.run(hard.aask(QUESTION)),
    ]
    for call in calls:
        with pytest.raises(Closed):
            call()
    assert not cloud.received_bytes


def test_a_request_that_the_runtime_is_closed_under_sends_nothing(
    hard: Runtime, cloud: Cloud
) -> None:
    stream = hard.stream(QUESTION)
    next(stream)
    hard.close()
    with pytest.raises(Closed):
        list(stream)
    assert not cloud.received_bytes


def test_what_left_is_told_by_a_runtime_that_was_closed_meanwhile(
    hard: Runtime, cloud: Cloud
) -> None:
    stream = hard.stream(QUESTION)
    assert any(isinstance(event, TextReleased) for event in stream)
    hard.close()
    stream.close()  # type: ignore[attr-defined]  # a generator
    with ReceiptStore.open(hard.parts.settings.state) as store:
        (egress,) = store.get("last").egress
    assert egress.bytes_sent == cloud.received_bytes > 0
