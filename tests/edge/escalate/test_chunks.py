from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.base import FinishReason
from skerry.edge.errors import CloudError, CloudRefused, CloudUnavailable
from skerry.edge.escalate import CloudOptions
from skerry.edge.escalate.chunks import Chunk, TokenCounts, parse_chunk

OPTIONS = CloudOptions(base_url="https://api.example.org", model="m")


def choice(**fields: Any) -> str:
    return json.dumps({"choices": [fields]})


@dataclass(frozen=True)
class Case:
    name: str
    data: str
    chunk: Chunk


CASES = [
    Case("text", choice(delta={"content": "Hi"}), Chunk("Hi")),
    Case("role only", choice(delta={"role": "assistant", "content": ""}), Chunk()),
    Case("null content", choice(delta={"content": None}), Chunk()),
    Case("no delta", choice(finish_reason="stop"), Chunk(finish=FinishReason.STOP)),
    Case("null delta", choice(delta=None, finish_reason=""), Chunk()),
    Case("length", choice(delta={}, finish_reason="length"), Chunk(finish=FinishReason.LENGTH)),
    Case("tool calls", choice(finish_reason="tool_calls"), Chunk(finish=FinishReason.STOP)),
    Case("thought", choice(delta={"reasoning_content": "hm"}), Chunk(thinking=True)),
    Case("other thought", choice(delta={"reasoning": "hm"}), Chunk(thinking=True)),
    Case("ping", '{"type": "ping"}', Chunk()),
    Case("no error", '{"error": null, "choices": []}', Chunk()),
    Case(
        "usage",
        '{"choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}',
        Chunk(counts=TokenCounts(4, 0, 2)),
    ),
    Case(
        "odd usage",
        '{"usage": {"prompt_tokens": -4, "completion_tokens": "2", "prompt_tokens_details": 1}}',
        Chunk(counts=TokenCounts()),
    ),
    Case("emoji as a pair", r'{"choices":[{"delta":{"content":"\ud83d\ude00"}}]}', Chunk("😀")),
    Case("half a pair", r'{"choices":[{"delta":{"content":"a\ud83d"}}]}', Chunk("a\ufffd")),
    Case("NUL", r'{"choices":[{"delta":{"content":"a\u0000"}}]}', Chunk("a\0")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_chunks(case: Case) -> None:
    assert parse_chunk(OPTIONS, case.data) == case.chunk


@dataclass(frozen=True)
class Fault:
    name: str
    data: str
    kind: type[CloudError]
    says: str


FAULTS = [
    Fault("not JSON", "{", CloudRefused, "not JSON"),
    Fault("empty", "", CloudRefused, "not JSON"),
    Fault("too deep", "[" * 100_000, CloudRefused, "not JSON"),
    Fault("a list", "[]", CloudRefused, "not a JSON object"),
    Fault("odd choices", '{"choices": {"0": 1}}', CloudRefused, "choices"),
    Fault("odd choice", '{"choices": ["a"]}', CloudRefused, "choices"),
    Fault("odd delta", choice(delta="Hi"), CloudRefused, "not text"),
    Fault("parts", choice(delta={"content": [{"text": "Hi"}]}), CloudRefused, "not text"),
    Fault("filtered", choice(finish_reason="content_filter"), CloudRefused, "filter"),
    Fault("error", '{"error": {"message": "boom"}}', CloudUnavailable, "boom"),
    Fault("error text", '{"error": "boom"}', CloudUnavailable, "boom"),
    Fault("error 400", '{"error": {"message": "boom", "code": 400}}', CloudRefused, "400: boom"),
    Fault("error 503", '{"error": {"message": "x", "code": 503}}', CloudUnavailable, "503"),
    Fault("error code", '{"error": {"code": "server_error"}}', CloudUnavailable, "server_error"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults(fault: Fault) -> None:
    with pytest.raises(fault.kind, match=fault.says) as caught:
        parse_chunk(OPTIONS, fault.data)
    assert caught.value.hint


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(["choices", "delta", "content", "finish_reason", "usage", "error", "code"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(JSON | st.dictionaries(NAMES, JSON))
def test_whatever_arrives_is_a_chunk_or_a_cloud_error(value: object) -> None:
    try:
        chunk = parse_chunk(OPTIONS, json.dumps(value))
    except CloudError:
        return
    chunk.text.encode()


@given(st.text())
def test_any_text_arrives_whole(text: str) -> None:
    assert parse_chunk(OPTIONS, choice(delta={"content": text})).text == text
