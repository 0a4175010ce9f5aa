"""Chat completions by the official client against a live server with the real model."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from tests.edge.server.conftest import MODEL, Server

pytestmark = pytest.mark.model

TALK: list[Any] = [{"role": "user", "content": "Name three colours of the rainbow."}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PERSON: Any = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 8},
                "adult": {"type": "boolean"},
            },
            "required": ["name", "adult"],
            "additionalProperties": False,
        },
    },
}


def ask(client: openai.OpenAI, **more: Any) -> Any:
    fields: dict[str, Any] = {"model": MODEL, "messages": TALK, "max_tokens": 8}
    return client.chat.completions.create(**(fields | more))


def test_an_answer(client: openai.OpenAI) -> None:
    answer = ask(client)
    (choice,) = answer.choices
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.model == MODEL
    assert choice.message.role == "assistant"
    assert choice.message.content.strip()
    assert choice.finish_reason == "length"
    assert answer.usage.completion_tokens == 8
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 8


def test_a_stream_says_the_same(client: openai.OpenAI) -> None:
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    *body, last = chunks
    assert chunks[0].choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in body)
    assert text == ask(client).choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in body[-2:]] == [None, "length"]
    assert last.choices == []
    assert last.usage.completion_tokens == 8
    assert len({chunk.id for chunk in chunks}) == 1
    assert all(chunk.usage is None for chunk in body)


def test_the_prefix_is_reused_and_told(client: openai.OpenAI) -> None:
    long = [{"role": "user", "content": "My cat is called Ada. " * 8}]
    first = ask(client, messages=long, max_tokens=4, extra_body={"prompt_cache_key": "ada"})
    said = {"role": "assistant", "content": first.choices[0].message.content}
    more = [*long, said, {"role": "user", "content": "And?"}]
    second = ask(client, messages=more, max_tokens=2, extra_body={"prompt_cache_key": "ada"})
    assert second.usage.prompt_tokens_details.cached_tokens > 40


def test_stop(client: openai.OpenAI) -> None:
    free = ask(client, max_tokens=10).choices[0].message.content
    stop = free[4:7]
    answer = ask(client, max_tokens=10, stop=stop)
    assert answer.choices[0].message.content == free[: free.index(stop)]
    assert answer.choices[0].finish_reason == "stop"


def test_a_seed_fixes_the_answer(client: openai.OpenAI) -> None:
    hot: dict[str, Any] = {"temperature": 1.5, "seed": -7, "top_p": 0.95}
    texts = {ask(client, **hot).choices[0].message.content for _ in range(2)}
    assert len(texts) == 1
    other = ask(client, **hot | {"seed": 8}).choices[0].message.content
    assert other not in texts


def test_logprobs(client: openai.OpenAI) -> None:
    answer = ask(client, max_tokens=4, logprobs=True, top_logprobs=3)
    content = answer.choices[0].logprobs.content
    assert len(content) == 4
    assert "".join(one.token for one in content) == answer.choices[0].message.content
    assert all(len(one.top_logprobs) == 3 for one in content)
    assert all(one.logprob == one.top_logprobs[0].logprob <= 0 for one in content)
    assert bytes(content[0].bytes).decode() == content[0].token


def test_logprobs_in_a_stream(client: openai.OpenAI) -> None:
    chunks = list(ask(client, max_tokens=4, logprobs=True, stream=True))
    tokens = [one for chunk in chunks if chunk.choices[0].logprobs
              for one in chunk.choices[0].logprobs.content]  # fmt: skip
    assert len(tokens) == 4


def test_grammar(client: openai.OpenAI) -> None:
    answer = ask(client, extra_body={"grammar": 'root ::= "yes" | "no"'})
    assert answer.choices[0].message.content in {"yes", "no"}
    assert answer.choices[0].finish_reason == "stop"


def test_json_schema(client: openai.OpenAI) -> None:
    answer = ask(client, response_format=PERSON, max_tokens=40)
    value = json.loads(answer.choices[0].message.content)
    assert set(value) == {"name", "adult"}
    assert answer.choices[0].message.refusal is None


def test_json_schema_streams_valid_json(client: openai.OpenAI) -> None:
    chunks = ask(client, response_format=PERSON, max_tokens=40, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert isinstance(json.loads(text)["adult"], bool)


def test_any_json(client: openai.OpenAI) -> None:
    answer = ask(client, response_format={"type": "json_object"}, max_tokens=4)
    assert answer.choices[0].message.content.startswith("{")


@pytest.mark.parametrize(
    "choice",
    ["required", {"type": "function", "function": {"name": "get_weather"}}],
    ids=["required", "named"],
)
def test_a_forced_tool_call(client: openai.OpenAI, choice: Any) -> None:
    answer = ask(client, tools=[WEATHER], tool_choice=choice, max_tokens=48)
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    (call,) = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}


def test_a_tool_call_in_a_stream(client: openai.OpenAI) -> None:
    stream = ask(client, tools=[WEATHER], tool_choice="required", max_tokens=48, stream=True)
    deltas = [
        call
        for chunk in stream
        if chunk.choices
        for call in chunk.choices[0].delta.tool_calls or ()
    ]
    assert deltas[0].id.startswith("call_")
    assert deltas[0].function.name == "get_weather"
    assert json.loads("".join(delta.function.arguments for delta in deltas))["city"]
    assert {delta.index for delta in deltas} == {0}


def test_a_tools_result_comes_back_in(client: openai.OpenAI) -> None:
    call = {"id": "call_1", "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}  # fmt: skip
    talk = [
        *TALK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
    ]
    answer = ask(client, messages=talk, tools=[WEATHER], tool_choice="none", max_tokens=3)
    assert answer.choices[0].message.tool_calls is None


BAD: dict[str, tuple[dict[str, Any], str | None]] = {
    "temperature": ({"temperature": 3}, "temperature"),
    "top_p": ({"top_p": 0}, "top_p"),
    "no choice": ({"n": 0}, "n"),
    "too many choices": ({"n": 17}, "n"),
    "bias": ({"logit_bias": {"50256": -100}}, "logit_bias"),
    "the older form of tools": ({"functions": [{"name": "f"}]}, "functions"),
    "sound": ({"modalities": ["text", "audio"]}, "modalities.1"),
    "a search of the web": (
        {"web_search_options": {"search_context_size": "low"}},
        "web_search_options",
    ),
    "max_tokens": ({"max_tokens": 0}, "max_tokens"),
    "five stops": ({"stop": list("abcde")}, "stop"),
    "empty stop": ({"stop": ""}, "stop.0"),
    "penalty": ({"presence_penalty": 9}, "presence_penalty"),
    "no messages": ({"messages": []}, "messages"),
    "unknown role": ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages.0"),
    "a picture": (
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
        "messages.0.content",
    ),
    "top_logprobs alone": ({"top_logprobs": 2}, None),
    "a tool that is none": ({"tools": [WEATHER], "tool_choice": {"function": {"name": "x"}}}, None),
    "bad schema": (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": 7}},
            }
        },
        "grammar",
    ),
    "bad grammar": ({"extra_body": {"grammar": "hello"}}, "grammar"),
    "adapter": ({"extra_body": {"adapter": "none"}}, None),
    "too long": ({"messages": [{"role": "user", "content": "word " * 3000}]}, "messages"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_bad_request(server: Server, name: str, stream: bool) -> None:
    """Also when a stream is asked for, as long as nothing of it was sent."""
    fields, param = BAD[name]
    body = {"model": MODEL, "messages": TALK, "max_tokens": 4, "stream": stream}
    body |= fields.get("extra_body", {}) | {k: v for k, v in fields.items() if k != "extra_body"}
    with server.http() as http:
        answer = http.post("/v1/chat/completions", content=json.dumps(body).encode(),
                           headers={"content-type": "application/json"})  # fmt: skip
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param
    assert len(error["message"]) > 10


def test_a_prompt_of_ten_megabytes(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, messages=[{"role": "user", "content": "word " * 2_000_000}])
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("text", ["a\x00b", "", "half \ud83d of an emoji"])
def test_text_that_is_not_quite_text(server: Server, text: str) -> None:
    body = {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 1}
    with server.http() as http:
        answer = http.post("/v1/chat/completions", content=json.dumps(body).encode(),
                           headers={"content-type": "application/json"})  # fmt: skip
    assert answer.status_code == 200, answer.text


def test_unknown_model(client: openai.OpenAI) -> None:
    for name in ("gpt-9", "/etc/passwd", "../x.gguf", ""):
        with pytest.raises(openai.NotFoundError) as caught:
            ask(client, model=name)
        assert caught.value.code == "model_not_found"
        assert caught.value.param == "model"
    with pytest.raises(openai.BadRequestError):
        ask(client, model="skerry-embedding")


def test_unknown_fields_are_ignored(client: openai.OpenAI) -> None:
    answer = ask(client, max_tokens=1, extra_body={"brand_new": {"x": 1}})
    assert answer.choices


HINTS: dict[str, Any] = {
    "user": "me", "metadata": {"a": "b"}, "store": True, "parallel_tool_calls": True,
    "service_tier": "auto", "logit_bias": {}, "modalities": ["text"], "stop": None, "n": 1,
    "functions": [],
}  # fmt: skip


def test_what_changes_nothing_is_taken(client: openai.OpenAI) -> None:
    """Fields that say who asks, or that are empty."""
    assert ask(client, **HINTS).choices == ask(client).choices


def test_the_newer_name_of_the_limit_wins(client: openai.OpenAI) -> None:
    assert ask(client, max_tokens=9, max_completion_tokens=3).usage.completion_tokens == 3


def test_any_of_several_stops(client: openai.OpenAI) -> None:
    free = ask(client, max_tokens=10).choices[0].message.content
    answer = ask(client, max_tokens=10, stop=["\x07", free[5:8], "never said"])
    assert answer.choices[0].message.content == free[: free.index(free[5:8])]


def test_several_at_once(client: openai.OpenAI) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ask(client, max_tokens=4), range(6)))
    assert all(answer.usage.completion_tokens == 4 for answer in answers)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_client_that_goes_away(server: Server, stream: bool) -> None:
    """The generation stops at its next token, long before its 900."""
    cancelled, made = server.metric("skerry_cancelled_total"), server.metric(TOKENS)
    body = json.dumps(
        {"model": MODEL, "messages": TALK, "max_tokens": 900, "stream": stream, "stop": ["\x07"],
         "grammar": 'root ::= [a-z ] root'}  # has no end of its own
    )  # fmt: skip
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=60) as wire:
        wire.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Authorization: Bearer {server.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        if stream:
            assert wire.recv(64).startswith(b"HTTP/1.1 200")
        else:
            wait(lambda: server.metric("skerry_underway") == 1)
    wait(lambda: server.metric("skerry_cancelled_total") == cancelled + 1)
    wait(lambda: server.metric("skerry_underway") == 0)
    assert server.metric(TOKENS) - made < 450


TOKENS = "skerry_completion_tokens_total"


def wait(until: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
