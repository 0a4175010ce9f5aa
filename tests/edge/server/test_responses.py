"""The Responses API by the official client against a live server."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from tests.edge.server.conftest import MODEL

pytestmark = pytest.mark.model


def make(client: openai.OpenAI, **more: Any) -> Any:
    fields: dict[str, Any] = {"model": MODEL, "input": "Say hello.", "max_output_tokens": 6}
    return client.responses.create(**(fields | more))


def test_an_answer(client: openai.OpenAI) -> None:
    response = make(client, instructions="Be brief.")
    assert response.object == "response"
    assert response.id.startswith("resp_")
    assert response.output_text
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"
    assert response.usage.output_tokens == 6
    assert response.usage.input_tokens_details.cached_tokens >= 0


def test_the_events_of_a_stream(client: openai.OpenAI) -> None:
    events = list(make(client, stream=True))
    kinds = [event.type for event in events]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert [kind for kind in kinds if kind != "response.output_text.delta"] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(deltas) == events[-1].response.output_text == make(client).output_text


def test_the_clients_own_stream_helper(client: openai.OpenAI) -> None:
    """Which wants a response that is complete."""
    only = {"grammar": 'root ::= "Hello."'}
    with client.responses.stream(model=MODEL, input="Hello!", extra_body=only) as stream:
        kinds = [event.type for event in stream]
        assert kinds[-1] == "response.completed"
        assert stream.get_final_response().output_text == "Hello."


def test_a_conversation_that_the_device_keeps(client: openai.OpenAI) -> None:
    first = make(client, input="My cat is called Ada.")
    second = make(client, input="And?", previous_response_id=first.id)
    assert second.usage.input_tokens > first.usage.input_tokens + 8
    fork = make(client, input="And?", previous_response_id=first.id)
    assert fork.usage.input_tokens == second.usage.input_tokens
    assert fork.id.rpartition("-")[0] != second.id.rpartition("-")[0]
    third = make(client, input="So?", previous_response_id=second.id)
    assert third.usage.input_tokens > second.usage.input_tokens + 8


def test_what_is_not_kept_cannot_be_continued(client: openai.OpenAI) -> None:
    for gone in (make(client, store=False).id, "resp_x-1", "resp_-", "nonsense", ""):
        with pytest.raises(openai.NotFoundError) as caught:
            make(client, previous_response_id=gone)
        assert caught.value.param == "previous_response_id"


def test_items(client: openai.OpenAI) -> None:
    parts = [{"type": "input_text", "text": "Say"}, {"type": "input_text", "text": "hi."}]
    talk = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": parts},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "hi"}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "user", "content": "Again."},
    ]
    assert make(client, input=talk).output_text


def test_json_schema(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"adult": {"type": "boolean"}},
        "required": ["adult"],
        "additionalProperties": False,
    }
    form = {"format": {"type": "json_schema", "name": "person", "schema": schema, "strict": True}}
    response = make(client, text=form, max_output_tokens=24)
    assert isinstance(json.loads(response.output_text)["adult"], bool)
    assert response.status == "completed"


TOOL: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
    },
}


def test_a_call_and_its_output(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {"tools": [TOOL], "tool_choice": "required", "max_output_tokens": 40}
    first = make(client, input="Weather in Oslo?", **fields)
    (call,) = first.output
    assert call.type == "function_call"
    assert set(json.loads(call.arguments)) == {"city"}
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}
    second = make(client, input=[output], previous_response_id=first.id)
    assert second.output_text
    assert second.usage.input_tokens > 10


def test_a_call_in_a_stream(client: openai.OpenAI) -> None:
    events = list(
        make(client, tools=[TOOL], tool_choice="required", max_output_tokens=40, stream=True)
    )
    assert [event.type for event in events[2:]] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"input": []},
        {"input": [{"type": "item_reference", "id": "x"}]},
        {"input": [{"type": "function_call", "name": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
        {"max_output_tokens": 0},
        {"tools": [{"type": "web_search"}]},
        {"background": True},
        {"conversation": "conv_1"},
        {"prompt": {"id": "pmpt_1"}},
        {"top_logprobs": 30},
        {"model": "skerry-embedding"},
    ],
    ids=str,
)
def test_bad_request(client: openai.OpenAI, fields: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        make(client, **fields)
    assert caught.value.type == "invalid_request_error"
