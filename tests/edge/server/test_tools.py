"""Tool calls and schemas without a model: what is read from text, what is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.base import Generation
from skerry.edge.errors import GrammarError
from skerry.edge.receipts import TokenUsage
from skerry.edge.server import structured, tools
from skerry.edge.server.answers import Step, whole
from skerry.edge.server.structured import Validator
from skerry.edge.server.wire.chat import ChatRequest

CITY = {
    "type": "object",
    "properties": {"city": {"$ref": "#/$defs/City"}},
    "required": ["city"],
    "$defs": {"City": {"type": "string", "maxLength": 12}},
}
TIME = {
    "type": "object",
    "properties": {"zone": {"$ref": "#/$defs/City"}},
    "$defs": {"City": {"type": "integer", "minimum": -12, "maximum": 14}},
}


def request(**more: Any) -> ChatRequest:
    fields = {
        "model": "m",
        "messages": [{"role": "user", "content": "?"}],
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": CITY}},
            {"type": "function", "function": {"name": "time", "parameters": TIME}},
            {"type": "function", "function": {"name": "ping"}},
        ],
    }
    return ChatRequest.model_validate(fields | more)


class Scripted:
    """Says one prepared text after the other, a character a step; remembers what it was asked."""

    def __init__(self, *texts: str, finish: str = "stop") -> None:
        self.texts = list(texts)
        self.finish = finish
        self.asked: list[Generation] = []

    def __call__(self, wanted: Generation) -> Iterator[Step]:
        self.asked.append(wanted)
        for character in self.texts.pop(0):
            yield Step(character)
        yield Step(finish=self.finish, usage=TokenUsage(10, 0, 5))


ASK = Generation(messages=[{"role": "user", "content": "?"}])


def answer(model: Scripted, **more: Any) -> list[Step]:
    return list(tools.answering(model, ASK, request(**more))())


@dataclass(frozen=True)
class Text:
    name: str
    text: str
    calls: list[tuple[str, dict[str, Any]]]


TEXTS = [
    Text("a call", '{"name": "ping", "arguments": {}}', [("ping", {})]),
    Text("with space around", ' \n{"name": "ping", "arguments": {}}\n', [("ping", {})]),
    Text("parameters", '{"name": "weather", "parameters": {"city": "Oslo"}}',
         [("weather", {"city": "Oslo"})]),
    Text("arguments as text", r'{"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}',
         [("weather", {"city": "Oslo"})]),
    Text("tagged", '<tool_call>\n{"name": "ping", "arguments": {}}\n</tool_call>', [("ping", {})]),
    Text("two tagged", '<tool_call>{"name": "a", "arguments": {}}</tool_call>\n'
         '<tool_call>{"name": "b", "arguments": {}}</tool_call>', [("a", {}), ("b", {})]),
    Text("a list", '[{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]',
         [("a", {}), ("b", {})]),
    Text("fenced", '```json\n{"name": "ping", "arguments": {}}\n```', [("ping", {})]),
    Text("prose", "The weather is fine.", []),
    Text("other JSON", '{"city": "Oslo"}', []),
    Text("no arguments", '{"name": "ping"}', []),
    Text("arguments are a list", '{"name": "ping", "arguments": []}', []),
    Text("one of two is none", '[{"name": "a", "arguments": {}}, 7]', []),
    Text("cut off", '{"name": "ping", "argum', []),
    Text("nested beyond reason", "[" * 100_000, []),
    Text("empty", "", []),
]  # fmt: skip


@pytest.mark.parametrize("case", TEXTS, ids=lambda case: case.name)
def test_parse(case: Text) -> None:
    assert [(said.name, dict(said.arguments)) for said in tools.parse(case.text)] == case.calls


@pytest.mark.parametrize("case", [case for case in TEXTS if case.calls], ids=lambda case: case.name)
def test_a_call_is_held_back_from_its_first_character(case: Text) -> None:
    assert all(tools.may_be_call(case.text[:length]) for length in range(len(case.text) + 1))


@given(st.text())
def test_any_text_is_read_without_a_fault(text: str) -> None:
    tools.parse(text)
    tools.may_be_call(text)


def test_text_streams_at_once_when_it_is_no_call() -> None:
    steps = answer(Scripted("Fine weather."))
    assert [step.text for step in steps[:3]] == ["F", "i", "n"]
    assert whole(steps).text == "Fine weather."
    assert steps[-1].finish == "stop"


def test_a_call_by_the_models_own_choice() -> None:
    steps = answer(Scripted('{"name": "weather", "arguments": {"city": "Oslo"}}'))
    (last,) = steps
    assert last.finish == "tool_calls"
    assert [(call.name, json.loads(call.arguments)) for call in last.calls] == [
        ("weather", {"city": "Oslo"})
    ]
    assert last.calls[0].id.startswith("call_")


def test_a_call_that_does_not_fit_is_asked_for_again() -> None:
    model = Scripted(
        '{"name": "weather", "arguments": {}}', '{"name": "weather", "arguments": {"city": "Oslo"}}'
    )
    steps = answer(model)
    assert steps[-1].calls[0].arguments == '{"city": "Oslo"}'
    assert steps[-1].usage == TokenUsage(20, 0, 10)
    assert "city" in model.asked[1].messages[-1]["content"]


def test_what_never_fits_is_text() -> None:
    wrong = '{"name": "weather", "arguments": {}}'
    steps = answer(Scripted(wrong, wrong))
    assert whole(steps).text == wrong
    assert steps[-1].finish == "stop"
    assert not steps[-1].calls


def test_a_call_of_what_does_not_exist_is_text() -> None:
    text = '{"name": "launch", "arguments": {}}'
    assert whole(answer(Scripted(text))).text == text


def test_a_forced_call_that_never_fits_is_refused() -> None:
    wrong = '{"name": "time", "arguments": {"zone": 99}}'
    (last,) = answer(Scripted(wrong, wrong), tool_choice="required")
    assert "99" in last.refusal
    assert not last.calls


def test_a_forced_call_is_bound_by_a_grammar() -> None:
    model = Scripted('{"name": "ping", "arguments": {}}')
    choice = {"type": "function", "function": {"name": "ping"}}
    (last,) = answer(model, tool_choice=choice)
    assert last.finish == "tool_calls"
    grammar = model.asked[0].grammar
    assert grammar is not None
    assert "ping" in grammar
    assert "weather" not in grammar


def test_functions_may_define_the_same_name_differently() -> None:
    grammar = tools.Toolbox(request().tools or ()).grammar()
    assert all(name in grammar for name in ("weather", "time", "ping"))


def test_one_call_where_only_one_is_wanted() -> None:
    both = '[{"name": "ping", "arguments": {}}, {"name": "ping", "arguments": {}}]'
    assert len(answer(Scripted(both))[-1].calls) == 2
    assert len(answer(Scripted(both), parallel_tool_calls=False)[-1].calls) == 1


def test_what_was_cut_off_is_text_with_its_finish() -> None:
    (last,) = answer(Scripted('{"name": "pi', finish="length"), tool_choice="required")
    assert (last.text, last.finish, last.calls) == ('{"name": "pi', "length", ())


# Schemas

AGE = {"type": "object", "properties": {"age": {"type": "integer", "maximum": 150}}}


def test_a_schema_is_checked_after_the_grammar() -> None:
    model = Scripted('{"age": 999}', '{"age": 40}')
    steps = list(structured.answering(model, ASK, AGE)())
    assert whole(steps).text == '{"age": 40}'
    assert model.asked[0].grammar == model.asked[1].grammar
    assert "150" in model.asked[1].messages[-1]["content"]


def test_what_never_fits_a_schema_is_refused() -> None:
    (last,) = structured.answering(Scripted('{"age": 999}', '{"age": 998}'), ASK, AGE)()
    assert "998" in last.refusal
    assert last.text == ""


def test_what_was_cut_off_is_not_judged() -> None:
    steps = list(structured.answering(Scripted('{"ag', finish="length"), ASK, AGE)())
    assert whole(steps).text == '{"ag'
    assert steps[-1].finish == "length"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 7},
        {"type": "object", "properties": []},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"not": {"type": "string"}},
    ],
    ids=["wrong type", "wrong properties", "elsewhere", "nowhere", "negation"],
)
def test_a_schema_that_cannot_be_used(schema: dict[str, Any]) -> None:
    model = Scripted()
    with pytest.raises(GrammarError) as caught:
        list(structured.answering(model, ASK, schema)())
    assert caught.value.what
    assert not model.asked


def test_a_reference_elsewhere_is_never_followed() -> None:
    assert "refers" in Validator({"$ref": "https://example.org/schema.json"}).problem("{}")


def test_a_hostile_pattern_does_not_run() -> None:
    assert Validator({"type": "string", "pattern": "^(a+)+$"}).problem(json.dumps("a" * 60)) == ""
