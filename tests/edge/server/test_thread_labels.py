"""Conversations of the Responses API know the access labels of what was answered from."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from skerry.edge import Consent, Runtime, Tier
from skerry.edge.index import Metadata
from skerry.edge.server.planning import pipeline_request
from skerry.edge.server.threads import Thread, Threads
from skerry.edge.server.wire.chat import ChatRequest
from skerry.edge.server.wire.responses import Item, ResponsesRequest
from skerry.edge.types import RequestClass
from tests.edge.asking import QUESTION, route_as
from tests.edge.conftest import MakeRuntime

WARD = frozenset({"ward"})
ELSEWHERE = "Who won the regatta in Trondheim?"
FRIDGE = "How is the vaccine fridge kept?"


@pytest.fixture
def hard(make_runtime: MakeRuntime, handbook: Path) -> Runtime:
    """A runtime with a cloud and a reader who holds the label of the trolley's page."""
    runtime = make_runtime(
        route_as(RequestClass.QUESTION, complexity=0.95),
        cloud_url="http://127.0.0.1:9/v1",  # nothing listens there: only decisions are looked at
        cloud_model="large",
        consent=Consent.GRANTED,
        labels=WARD,
    )
    runtime.index.add([handbook / "trolley.md"], metadata=Metadata(labels=WARD))
    runtime.index.add([handbook])
    return runtime


def asked(
    runtime: Runtime, threads: Threads, question: str, before: Thread | None = None
) -> Thread:
    """A question and its answer by the pipeline, kept."""
    item = Item(role="user", content=question)
    thread = threads.begin(before.id if before else None, [item], store=True)
    body = ResponsesRequest.model_validate({"model": "skerry", "input": question}).chat_fields(
        thread.history, None
    )
    wanted = ChatRequest.model_validate(body)
    request = pipeline_request(runtime, wanted, threading.Event(), thread.labels)
    reply = runtime.ask(request, offline=True)
    threads.finish(thread, [Item(role="assistant", content=reply.text)], reply.receipt)
    return thread


def tier_of_the_next(runtime: Runtime, threads: Threads, before: Thread) -> Tier:
    item = Item(role="user", content=ELSEWHERE)
    thread = threads.begin(before.id, [item], store=False)
    history = [one.message() for one in thread.history]
    return runtime.route(ELSEWHERE, history=history, history_labels=thread.labels).tier


def test_an_answer_from_a_labelled_source_keeps_the_conversation_here(hard: Runtime) -> None:
    threads = Threads(hard.parts)
    first = asked(hard, threads, QUESTION)
    assert tier_of_the_next(hard, threads, first) is Tier.DEVICE
    second = asked(hard, threads, FRIDGE, first)
    assert tier_of_the_next(hard, threads, second) is Tier.DEVICE


def test_an_answer_from_others_does_not(hard: Runtime) -> None:
    threads = Threads(hard.parts)
    assert tier_of_the_next(hard, threads, asked(hard, threads, FRIDGE)) is Tier.CLOUD


def test_an_answer_that_the_client_sends_may_be_of_anything(hard: Runtime) -> None:
    threads = Threads(hard.parts)
    said = [Item(role="assistant", content="Daily."), Item(role="user", content="Why?")]
    thread = threads.begin(None, said, store=True)
    assert thread.labels is None
    threads.finish(thread, [Item(role="assistant", content="So it is.")], None)
    assert tier_of_the_next(hard, threads, thread) is Tier.DEVICE
