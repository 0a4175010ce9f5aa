"""Whatever a client sends is either a request or a named complaint; never a fault."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from skerry.edge.errors import GrammarError
from skerry.edge.receipts import TokenUsage
from skerry.edge.server import chat
from skerry.edge.server.answers import Step
from skerry.edge.server.errors import ApiError, validation_error
from skerry.edge.server.heads import Head
from skerry.edge.server.sse import faults_as_events
from skerry.edge.server.structured import Validator, grammar_of
from skerry.edge.server.tools import Toolbox
from skerry.edge.server.wire.ask import AskRequest
from skerry.edge.server.wire.chat import ChatRequest, Tool
from skerry.edge.server.wire.completions import CompletionRequest
from skerry.edge.server.wire.embeddings import EmbeddingRequest
from skerry.edge.server.wire.fields import Wire
from skerry.edge.server.wire.responses import ResponsesRequest
from tests.edge.server.conftest import MODEL

CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
WORDS = st.sampled_from(
    "type text role content function name user assistant tool message object json_schema schema "
    "properties items $ref #/$defs/x $defs definitions enum const anyOf pattern arguments".split()
)
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
REQUESTS = (ChatRequest, CompletionRequest, ResponsesRequest, EmbeddingRequest, AskRequest)


@pytest.mark.parametrize("kind", REQUESTS)
@given(data=st.data())
def test_a_body_is_read_or_refused(kind: type[Wire], data: st.DataObject) -> None:
    names = st.sampled_from(sorted(kind.model_fields))
    body = data.draw(st.dictionaries(names, VALUES, max_size=6))
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "prompt": "x",
            "input": "x", "question": "x"} | body  # fmt: skip
    try:
        kind.model_validate(body)
    except ValidationError as error:
        details = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        assert validation_error(details).status_code == 400


@given(schema=st.dictionaries(WORDS, VALUES, max_size=4))
def test_a_schema_is_used_or_refused(schema: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    with suppress(GrammarError):
        Toolbox([Tool.model_validate(tool)]).grammar()
    with suppress(GrammarError):
        grammar_of(schema)


@given(schema=st.dictionaries(WORDS, VALUES, max_size=4), value=VALUES)
def test_a_value_is_judged(schema: dict[str, Any], value: Any) -> None:
    with suppress(GrammarError):
        assert isinstance(Validator(schema).problem(json.dumps(value)), str)


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


BAD_SCHEMAS: dict[str, dict[str, Any]] = {
    "dialect": {"$schema": {}},
    "pattern": {"type": "string", "pattern": "("},
    "definitions": {"definitions": []},
    "depth": nested(3000),
    "reference": {"$ref": 7},
    "brackets": {"type": "string", "pattern": "(" * 500},
    "many optional properties": {"properties": {str(n): {} for n in range(1000)}},
    "objects": {"properties": {str(n): {} for n in range(5000)}},
    "values": {"enum": list(range(50_000))},
    "lists of lists": {"type": [[n] for n in range(2000)]},
    "loop": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
}


@pytest.mark.parametrize("schema", BAD_SCHEMAS.values(), ids=BAD_SCHEMAS)
def test_a_bad_schema_is_refused(schema: dict[str, Any]) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    with pytest.raises(GrammarError):
        Toolbox([Tool.model_validate(tool)]).grammar()


def test_the_schemas_of_a_request_count_together() -> None:
    properties = {str(n): {"type": "string"} for n in range(100)}
    tools = [
        {
            "type": "function",
            "function": {"name": f"f{n}", "parameters": {"properties": properties}},
        }
        for n in range(60)
    ]
    body = CHAT | {"tools": tools}
    with pytest.raises(ValidationError, match="more than 4,000 objects"):
        ChatRequest.model_validate(body)
    ChatRequest.model_validate(body | {"tools": tools[:30]})


def test_a_thousand_properties_do_not_hold_up_the_server(http: httpx2.Client) -> None:
    schema = {"properties": {f"property_{n}": {"type": "string"} for n in range(1000)}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    for model in ("skerry", MODEL):
        body = CHAT | {"model": model, "response_format": form}
        answer = http.post("/v1/chat/completions", json=body, timeout=5)
        assert answer.status_code == 400
        assert "more than 200 optional properties" in answer.json()["error"]["message"]
        assert http.get("/health", timeout=2).status_code == 200


BAD_IDS = ["", "\ud800", "a\0b", "a\nb", "x" * 500]
NAMES: dict[str, tuple[type[Wire], Callable[[str], dict[str, Any]]]] = {
    "session": (ChatRequest, lambda text: CHAT | {"skerry": {"session": text}}),
    "session of the page": (AskRequest, lambda text: {"question": "x", "session": text}),
}  # fmt: skip
LABELS: dict[str, tuple[type[Wire], Callable[[str], dict[str, Any]]]] = {
    "model": (ChatRequest, lambda text: CHAT | {"model": text}),
    "domain": (AskRequest, lambda text: {"question": "x", "domain": text}),
    "cache key": (ChatRequest, lambda text: CHAT | {"prompt_cache_key": text}),
    "adapter": (CompletionRequest, lambda text: {"model": "m", "prompt": "x", "adapter": text}),
    "response": (
        ResponsesRequest,
        lambda text: {"model": "m", "input": "x", "previous_response_id": text},
    ),
    "model of embeddings": (EmbeddingRequest, lambda text: {"model": text, "input": "x"}),
}


@pytest.mark.parametrize("text", BAD_IDS, ids=ascii)
@pytest.mark.parametrize("name", NAMES)
def test_what_was_never_an_id_is_refused(name: str, text: str) -> None:
    kind, body = NAMES[name]
    with pytest.raises(ValidationError, match="an id has"):
        kind.model_validate(body(text))
    kind.model_validate(body("resp_Ab-9"))


@pytest.mark.parametrize("text", BAD_IDS[1:], ids=ascii)
@pytest.mark.parametrize("name", LABELS)
def test_a_name_is_one_line_of_text(name: str, text: str) -> None:
    kind, body = LABELS[name]
    with pytest.raises(ValidationError, match="at most 256 characters"):
        kind.model_validate(body(text))
    kind.model_validate(body("نیم\u200cفاصله 😀"))


def test_no_time_is_no_time() -> None:
    with pytest.raises(ValidationError, match="as_of"):
        AskRequest.model_validate({"question": "x", "as_of": float("nan")})


def test_definitions_of_an_older_dialect_do_no_harm() -> None:
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "$defs": []}
    tool = {"type": "function", "function": {"name": "f", "parameters": old}}
    assert Toolbox([Tool.model_validate(tool)]).grammar()


def test_a_number_beyond_reckoning() -> None:
    assert "checked" in Validator({"type": "number", "multipleOf": 1e-320}).problem("1e400")


@pytest.mark.parametrize("kind", [{}, [], 7, None], ids=str)
def test_a_kind_that_is_no_word(kind: Any) -> None:
    with pytest.raises(ValidationError):
        ResponsesRequest.model_validate({"model": "m", "input": [{"type": kind, "x": 1}]})
    part = {"type": kind, "text": 7}
    with pytest.raises(ValidationError):
        ChatRequest.model_validate(
            {"model": "m", "messages": [{"role": "user", "content": [part]}]}
        )


HEAD = Head.new("m", "chatcmpl")


async def read(*steps: Step | Exception) -> list[str]:
    async def source() -> AsyncGenerator[Step, None]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    frames = chat.chunks(HEAD, source(), count=1, usage=False)
    return [frame async for frame in faults_as_events(frames)]


END = Step(finish="stop", usage=TokenUsage(1, 0, 1))


async def test_a_fault_half_way_is_an_event() -> None:
    *_, last = await read(Step("a"), ApiError(503, "gone", code="x"))
    assert last.startswith("event: error\ndata: ")
    assert json.loads(last.partition("data: ")[2])["error"]["code"] == "x"


async def test_an_unforeseen_fault_half_way_tells_nothing() -> None:
    *_, last = await read(Step("a"), ValueError("the patient's name"))
    assert "internal" in last
    assert "patient" not in last


async def test_text_that_became_void_ends_the_stream() -> None:
    *_, last = await read(Step("a"), Step(void=True), Step("b"), END)
    assert "tier_failed" in last
    told = await read(Step(void=True), Step("b"), END)
    assert told[-1] == "data: [DONE]\n\n"
