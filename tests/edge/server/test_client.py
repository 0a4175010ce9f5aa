"""The conveniences of the official client: parsed answers, its streams, raw answers, asyncio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import openai
import pytest
from pydantic import BaseModel, StringConstraints

from tests.edge.server.conftest import MODEL, Server
from tests.edge.server.test_chat import TALK, wait

pytestmark = pytest.mark.model
ENDLESS = {"grammar": "root ::= [a-z ] root"}


class Person(BaseModel):
    name: Annotated[str, StringConstraints(max_length=8)]
    adult: bool


SAVE = openai.pydantic_function_tool(Person, name="save_person")
LIMITS: dict[str, Any] = {"model": MODEL, "max_tokens": 60}


@pytest.fixture
async def later(server: Server) -> AsyncIterator[openai.AsyncOpenAI]:
    address = f"{server.url}/v1"
    async with openai.AsyncOpenAI(base_url=address, api_key=server.key, max_retries=0) as client:
        yield client


def test_a_parsed_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(**LIMITS, messages=TALK, response_format=Person)
    assert isinstance(answer.choices[0].message.parsed, Person)


def test_a_parsed_answer_of_the_responses_api(client: openai.OpenAI) -> None:
    limits = {"model": MODEL, "max_output_tokens": 60}
    answer = client.responses.parse(**limits, input="A person.", text_format=Person)
    assert isinstance(answer.output_parsed, Person)
    with client.responses.stream(**limits, input="A person.", text_format=Person) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_parsed == answer.output_parsed
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_a_parsed_answer_in_a_stream(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {"messages": TALK, "response_format": Person}
    with client.chat.completions.stream(**LIMITS, **fields) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert {"content.delta", "content.done"} <= kinds
    assert isinstance(final.choices[0].message.parsed, Person)


def test_a_tool_is_called_in_a_stream_and_its_result_goes_back(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {"messages": TALK, "tools": [SAVE], "tool_choice": "required"}
    told = ""
    with client.chat.completions.stream(**LIMITS, **fields) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.delta":
                told += event.arguments_delta
        message = stream.get_final_completion().choices[0].message
    (call,) = message.tool_calls or ()
    assert told == call.function.arguments
    assert call.function.parsed_arguments == Person(**json.loads(told))
    result = {"role": "tool", "tool_call_id": call.id, "content": [{"type": "text", "text": "ok"}]}
    talk: list[Any] = [*TALK, message.model_dump(exclude_none=True), result]
    fields = {"messages": talk, "tools": [SAVE], "tool_choice": "none"}
    assert client.chat.completions.create(**LIMITS, **fields).choices[0].message.content


def test_raw_answers(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(**LIMITS | {"max_tokens": 2},
                                                           messages=TALK)  # fmt: skip
    assert raw.headers["content-type"] == "application/json"
    assert raw.parse().choices
    streaming = client.chat.completions.with_streaming_response
    fields: dict[str, Any] = {"messages": TALK, "stream": True}
    with streaming.create(**LIMITS | {"max_tokens": 2}, **fields) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert list(answer.iter_lines())[-2:] == ["data: [DONE]", ""]


def test_logprobs_of_the_responses_api(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {
        "input": "Hello!", "max_output_tokens": 4, "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
    }  # fmt: skip
    part = client.responses.create(model=MODEL, **fields).output[0].content[0]  # type: ignore[union-attr]
    assert "".join(one.token for one in part.logprobs) == part.text
    assert all(len(one.top_logprobs) == 2 for one in part.logprobs)
    events = list(client.responses.create(model=MODEL, **fields, stream=True))
    deltas = [event for event in events if event.type == "response.output_text.delta"]
    told = [one.token for event in deltas for one in event.logprobs]
    assert told == [one.token for one in part.logprobs]
    done = next(event for event in events if event.type == "response.output_text.done")
    assert [one.token for one in done.logprobs] == told


async def test_asyncio(later: openai.AsyncOpenAI) -> None:
    fields: dict[str, Any] = {"messages": TALK, "stream": True, "n": 2}
    stream = await later.chat.completions.create(**LIMITS | {"max_tokens": 4}, **fields)
    assert {chunk.choices[0].index async for chunk in stream} == {0, 1}
    limits = {"model": MODEL, "max_output_tokens": 4}
    async with later.responses.stream(**limits, input="Hello!") as events:
        kinds = [event.type async for event in events]
    assert kinds[0] == "response.created"
    both = (later.responses.create(**limits, input=text) for text in ("One.", "Two."))
    assert all(answer.output_text for answer in await asyncio.gather(*both))


@pytest.mark.parametrize("how", ["chat", "completions", "responses"])
async def test_a_stream_that_is_left(server: Server, later: openai.AsyncOpenAI, how: str) -> None:
    fields: dict[str, Any] = {"model": MODEL, "stream": True, "extra_body": ENDLESS}
    begin = {
        "chat": lambda: later.chat.completions.create(**fields, messages=TALK, max_tokens=900),
        "completions": lambda: later.completions.create(**fields, prompt="x", max_tokens=900),
        "responses": lambda: later.responses.create(**fields, input="x", max_output_tokens=900),
    }
    stream = await begin[how]()
    async for _ in stream:
        break
    await stream.close()
    await asyncio.to_thread(wait, lambda: server.metric("skerry_underway") == 0)


async def test_a_task_that_is_cancelled(server: Server, later: openai.AsyncOpenAI) -> None:
    fields: dict[str, Any] = {"messages": TALK, "extra_body": ENDLESS}
    asking = asyncio.create_task(
        later.chat.completions.create(**LIMITS | {"max_tokens": 900}, **fields)
    )
    await asyncio.to_thread(wait, lambda: server.metric("skerry_underway") == 1)
    asking.cancel()
    await asyncio.to_thread(wait, lambda: server.metric("skerry_underway") == 0)
