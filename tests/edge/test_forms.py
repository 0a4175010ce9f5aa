"""Answers in a form: their values are in the documents, or nothing of them is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.edge import Runtime
from skerry.edge.engines.base import FinishReason, Generation, Piece
from skerry.edge.engines.grammar import json_schema_to_gbnf
from skerry.edge.errors import ContextOverflow
from skerry.edge.request import Request
from skerry.edge.server.answers import from_pipeline, whole
from skerry.edge.types import RequestClass
from skerry.guardrails import Verdict
from skerry.guardrails.forms import CUT_OFF, NOT_IN_SOURCE
from skerry.guardrails.gate import NOT_FOUND
from tests.edge.asking import QUESTION, route_as

FORM = json_schema_to_gbnf(
    {
        "type": "object",
        "properties": {"who": {"type": "string"}, "extension": {"type": "number"}},
        "required": ["who", "extension"],
    }
)
RIGHT = '{"who":"the nurse in charge","extension":231}'
WRONG = '{"who":"the nurse in charge","extension":2.31}'


class Drafts:
    """Lets a scripted engine say one draft after the other."""

    def __init__(self, scripted, *drafts: str) -> None:
        self._scripted, self._drafts = scripted, iter(drafts)
        self._generate = scripted.generate
        scripted.generate = self.generate

    def generate(self, request: Generation) -> Iterator[Piece]:
        self._scripted.draft = next(self._drafts)
        yield from self._generate(request)


def labels(reply) -> list[tuple[str, str]]:
    found = reply.receipt.findings
    return [(one.label, one.rule) for one in found if one.label == NOT_IN_SOURCE]


def test_a_form_of_the_documents_cites_them(asks: Runtime, scripted) -> None:
    scripted.draft = RIGHT
    reply = asks.ask(QUESTION, grammar=FORM)
    assert (reply.text, reply.verdict) == (RIGHT, Verdict.RELEASED)
    assert [one.chunk.title for one in reply.citations] == ["Emergency trolley"]
    assert "every day before 08:00" in str(scripted.seen[0].messages[0]["content"])


def test_an_invented_value_is_tried_again(asks: Runtime, scripted) -> None:
    Drafts(scripted, WRONG, RIGHT)
    reply = asks.ask(QUESTION, grammar=FORM)
    assert (reply.text, reply.verdict) == (RIGHT, Verdict.REPAIRED)
    assert "$.extension (2.31)" in str(scripted.seen[1].messages[-1]["content"])
    assert labels(reply) == [(NOT_IN_SOURCE, "$.extension")]
    assert reply.receipt.usage.prompt_tokens == 20


@pytest.mark.parametrize("kind", [RequestClass.EXTRACTION, RequestClass.REASONING])
def test_an_invented_value_is_not_shown(
    make_runtime, handbook: Path, scripted, kind: RequestClass
) -> None:
    scripted.draft = WRONG
    runtime = make_runtime(route_as(kind), offline=True)
    runtime.index.add([handbook])
    reply = runtime.ask(QUESTION, grammar=FORM)
    assert reply.verdict is Verdict.WITHHELD
    assert "$.extension" in reply.text
    assert "2.31" not in reply.text
    assert len(scripted.seen) == 2
    assert not reply.citations


def test_a_text_that_is_brought_may_have_any_form(asks: Runtime, scripted) -> None:
    scripted.draft = WRONG
    reply = asks.ask(f"{QUESTION}\nAnswer as the form wants it.", grammar=FORM)
    assert reply.text == WRONG
    assert labels(reply) == [(NOT_IN_SOURCE, "$.extension")]
    assert len(scripted.seen) == 1


def test_without_documents_a_form_is_unfounded(make_runtime, scripted) -> None:
    scripted.draft = WRONG
    runtime = make_runtime(route_as(RequestClass.QUESTION), offline=True)
    reply = runtime.ask(QUESTION, grammar=FORM)
    assert reply.text == WRONG
    assert reply.unfounded


def test_a_form_that_is_cut_off_is_not_shown(asks: Runtime, scripted) -> None:
    scripted.generate = lambda _: iter([Piece('{"who":"x'), Piece("", finish=FinishReason.LENGTH)])
    reply = asks.ask(QUESTION, grammar=FORM)
    assert (reply.text, reply.finish) == (CUT_OFF, FinishReason.LENGTH)


def test_no_room_to_try_again(asks: Runtime, scripted) -> None:
    generate = scripted.generate

    def once(request: Generation) -> Iterator[Piece]:
        if scripted.seen:
            raise ContextOverflow("too long")
        yield from generate(request)

    scripted.draft, scripted.generate = WRONG, once
    assert asks.ask(QUESTION, grammar=FORM).verdict is Verdict.WITHHELD


@pytest.mark.parametrize("question", [QUESTION, "Who won the regatta in Trondheim?"])
def test_the_api_refuses(asks: Runtime, scripted, question: str) -> None:
    scripted.draft = WRONG
    answer = whole(list(from_pipeline(asks, Request(question, grammar=FORM), None)))
    assert answer.text == ""
    assert answer.last.refusal == NOT_FOUND or "$.extension" in answer.last.refusal
    assert answer.last.extra is not None
    assert answer.last.extra["skerry"]["verdict"] == "withheld"


def test_the_api_delivers_what_holds(asks: Runtime, scripted) -> None:
    scripted.draft = RIGHT
    answer = whole(list(from_pipeline(asks, Request(QUESTION, grammar=FORM), None)))
    assert json.loads(answer.text) == json.loads(RIGHT)
    assert not answer.last.refusal
