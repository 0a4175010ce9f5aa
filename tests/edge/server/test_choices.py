"""Several choices of one request: each with its seed, told apart in a stream, stopped together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from skerry.edge.engines.base import Generation, Sampling
from skerry.edge.receipts import TokenUsage
from skerry.edge.server.answers import Answering, Step
from skerry.edge.server.choices import lanes, of_choice, usage_of, wholes
from tests.edge.server.conftest import MODEL, Server
from tests.edge.server.test_chat import PERSON, TALK, WEATHER, ask, wait

HOT: dict[str, Any] = {"temperature": 1.5, "seed": 7, "n": 3}


def said(text: str) -> Answering:
    def answer() -> Iterator[Step]:
        yield from (Step(letter) for letter in text)
        yield Step(finish="stop", usage=TokenUsage(10, 0, len(text)))

    return answer


@pytest.mark.parametrize("most", [1, 2, 3, 9])
def test_every_choice_is_made_in_some_lane(most: int) -> None:
    texts = ["ab", "c", "", "def", "g"]
    found = lanes([said(text) for text in texts], most)
    assert len(found) == min(most, 5)
    steps = [step for lane in found for step in lane()]
    assert [whole.text for whole in wholes(steps, 5)] == texts


def test_the_prompt_counts_once() -> None:
    usages = [TokenUsage(10, 4, 3), None, TokenUsage(10, 9, 5)]
    assert usage_of(usages) == TokenUsage(10, 4, 8)
    assert usage_of([None]) is None


def test_seeds_hang_on_the_request_and_the_choice() -> None:
    wanted = Generation(prompt="x", sampling=Sampling(seed=5))
    seeds = [of_choice(wanted, number).sampling.seed for number in range(16)]
    assert seeds[0] == 5
    assert len(set(seeds)) == 16
    assert all(seed is not None and 0 <= seed < 1 << 32 for seed in seeds)
    assert of_choice(Generation(prompt="x"), 3).sampling.seed is None


@pytest.mark.model
class TestLive:
    def test_each_has_its_own_text_and_the_first_is_that_of_one(
        self, client: openai.OpenAI
    ) -> None:
        answer = ask(client, **HOT)
        texts = [choice.message.content for choice in answer.choices]
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        assert len(set(texts)) == 3
        assert texts[0] == ask(client, **HOT | {"n": 1}).choices[0].message.content
        assert answer.usage.completion_tokens == 24
        assert answer.usage.prompt_tokens == ask(client, max_tokens=1).usage.prompt_tokens

    def test_a_stream_tells_them_apart(self, client: openai.OpenAI) -> None:
        usage = {"include_usage": True}
        *body, last = list(ask(client, **HOT, stream=True, stream_options=usage))
        roles = [one.choices[0].index for one in body if one.choices[0].delta.role]
        ends = [one.choices[0].index for one in body if one.choices[0].finish_reason]
        assert roles == [0, 1, 2] == sorted(ends)
        texts = [""] * 3
        for chunk in body:
            texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
        assert len(set(texts)) == 3
        assert (last.choices, last.usage.completion_tokens) == ([], 24)

    def test_schemas_calls_and_logprobs(self, client: openai.OpenAI) -> None:
        made = ask(client, n=2, response_format=PERSON, max_tokens=40, logprobs=True)
        for choice in made.choices:
            assert set(json.loads(choice.message.content)) == {"name", "adult"}
            assert "".join(one.token for one in choice.logprobs.content) == choice.message.content
        called = ask(client, n=2, tools=[WEATHER], tool_choice="required", max_tokens=48)
        assert [choice.finish_reason for choice in called.choices] == ["tool_calls"] * 2
        assert len({choice.message.tool_calls[0].id for choice in called.choices}) == 2

    def test_more_than_the_model_decodes_at_once(self, client: openai.OpenAI) -> None:
        assert len(ask(client, n=16, max_tokens=2).choices) == 16

    def test_a_stream_that_is_left_stops_all_and_frees_their_place(
        self, server: Server, client: openai.OpenAI
    ) -> None:
        endless = {"grammar": "root ::= [a-z ] root"}
        with client.chat.completions.create(
            model=MODEL, messages=TALK, max_tokens=900, n=6, stream=True, extra_body=endless
        ) as stream:
            next(iter(stream))
            assert server.metric("skerry_underway") == 1
        wait(lambda: server.metric("skerry_underway") == 0)
        assert ask(client.with_options(timeout=10), max_tokens=1).choices

    def test_the_pipeline_gives_one(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.BadRequestError, match="one answer with one receipt") as caught:
            ask(client, model="skerry", n=2)
        assert caught.value.param == "n"
