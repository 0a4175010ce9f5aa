from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from unicodedata import category

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
    Case("NUL", r'{"choices":[{"delta":{"content":"a\u0000b"}}]}', Chunk("ab")),
    Case("lines and tabs", choice(delta={"content": "a\n\tb"}), Chunk("a\n\tb")),
    Case("carriage return", choice(delta={"content": "safe\rfake"}), Chunk("safefake")),
    Case("colour", choice(delta={"content": "\x1b[31mred\x07"}), Chunk("[31mred")),
    Case("C1", choice(delta={"content": "\x9b2J\x9d0;t\x9c\x7f"}), Chunk("2J0;t")),
    Case("turned around", choice(delta={"content": "\u202eabc\u2066d\u2069"}), Chunk("abcd")),
    Case("right to left", choice(delta={"content": "שלום\u200f é 😀"}), Chunk("שלום\u200f é 😀")),
    Case("only a control", choice(delta={"content": "\x1b"}), Chunk("")),
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


TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NEW = st.sampled_from("\n\t")
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


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=TURNS) | NEW)


@given(TEXT)
def test_any_text_arrives_whole(text: str) -> None:
    assert parse_chunk(OPTIONS, choice(delta={"content": text})).text == text


CONTROLS = st.sampled_from("\x1b\x9b\x07\x9d\x9c\r\b\x7f\0" + TURNS)


@given(st.lists(TEXT | CONTROLS))
def test_no_control_arrives_however_it_is_split(parts: list[str]) -> None:
    chunks = [parse_chunk(OPTIONS, choice(delta={"content": part})).text for part in parts]
    arrived = "".join(chunks)
    assert arrived == parse_chunk(OPTIONS, choice(delta={"content": "".join(parts)})).text
    assert not any(category(char) == "Cc" and char not in "\n\t" for char in arrived)
    assert not set(TURNS) & set(arrived)
