"""Completions of raw text and embeddings, by the official client against a live server."""

from __future__ import annotations

import math
from typing import Any

import openai
import pytest

from tests.edge.server.conftest import MODEL

PROMPT = "One, two, three, four,"


@pytest.mark.model
class TestCompletions:
    def make(self, client: openai.OpenAI, **more: Any) -> Any:
        fields: dict[str, Any] = {"model": MODEL, "prompt": PROMPT, "max_tokens": 5}
        return client.completions.create(**(fields | more))

    def test_text_goes_on(self, client: openai.OpenAI) -> None:
        answer = self.make(client)
        assert answer.object == "text_completion"
        assert "five" in answer.choices[0].text
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage.completion_tokens == 5

    def test_several_prompts(self, client: openai.OpenAI) -> None:
        answer = self.make(client, prompt=[PROMPT, "The sky is"])
        assert [choice.index for choice in answer.choices] == [0, 1]
        assert answer.usage.completion_tokens == 10
        assert answer.choices[0].text == self.make(client).choices[0].text

    def test_token_ids(self, client: openai.OpenAI) -> None:
        answer = self.make(client, prompt=[504, 338], echo=True)
        assert answer.usage.prompt_tokens == 2
        assert answer.choices[0].text
        with pytest.raises(openai.BadRequestError):
            self.make(client, prompt=[10**9])

    def test_echo(self, client: openai.OpenAI) -> None:
        assert self.make(client, echo=True).choices[0].text.startswith(PROMPT)

    def test_logprobs(self, client: openai.OpenAI) -> None:
        choice = self.make(client, logprobs=2).choices[0]
        assert "".join(choice.logprobs.tokens) == choice.text
        assert [choice.text[start:][:1] for start in choice.logprobs.text_offset] == [
            token[:1] for token in choice.logprobs.tokens
        ]
        assert all(len(top) == 2 for top in choice.logprobs.top_logprobs)

    def test_stream(self, client: openai.OpenAI) -> None:
        usage = {"include_usage": True}
        chunks = list(self.make(client, stream=True, echo=True, stream_options=usage))
        text = "".join(chunk.choices[0].text for chunk in chunks[:-1])
        assert text == self.make(client, echo=True).choices[0].text
        assert chunks[-1].usage.completion_tokens == 5

    def test_several_prompts_and_choices(self, client: openai.OpenAI) -> None:
        """Prompt by prompt; greedy, so that the choices of one are the same."""
        prompts = [PROMPT, "The sky is"]
        answer = self.make(client, prompt=prompts, n=2, best_of=2, echo=True)
        texts = [choice.text for choice in answer.choices]
        assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
        assert texts[0] == texts[1] == self.make(client, echo=True).choices[0].text
        assert (
            texts[2] == texts[3] == self.make(client, prompt=prompts[1], echo=True).choices[0].text
        )
        one = self.make(client, prompt=prompts)
        assert answer.usage.prompt_tokens == one.usage.prompt_tokens
        assert answer.usage.completion_tokens == 2 * one.usage.completion_tokens

    def test_several_prompts_in_a_stream(self, client: openai.OpenAI) -> None:
        fields = {"prompt": [PROMPT, "The sky is"], "n": 2, "echo": True, "logprobs": None}
        whole = self.make(client, **fields)
        texts = [""] * 4
        for chunk in self.make(client, **fields, stream=True):
            texts[chunk.choices[0].index] += chunk.choices[0].text
        assert texts == [choice.text for choice in whole.choices]

    def test_logprobs_in_a_stream(self, client: openai.OpenAI) -> None:
        chunks = list(self.make(client, logprobs=1, n=2, stream=True))
        for index in range(2):
            mine = [one.choices[0] for one in chunks if one.choices[0].index == index]
            text = "".join(one.text for one in mine)
            tokens = [token for one in mine if one.logprobs for token in one.logprobs.tokens]
            offsets = [at for one in mine if one.logprobs for at in one.logprobs.text_offset]
            assert "".join(tokens) == text
            assert [text[at:][:1] for at in offsets] == [token[:1] for token in tokens]

    @pytest.mark.parametrize(
        "fields",
        [
            {"suffix": "x"},
            {"echo": True, "logprobs": 1},
            {"best_of": 3},
            {"n": 3, "best_of": 2},
            {"n": 16, "prompt": ["a"] * 9},
            {"logit_bias": {"1": 1}},
            {"prompt": []},
            {"prompt": ""},
            {"prompt": [[]]},
            {"prompt": {"a": 1}},
            {"prompt": [True]},
            {"prompt": ["a"] * 40},
            {"model": "skerry"},
        ],
        ids=str,
    )
    def test_bad_request(self, client: openai.OpenAI, fields: dict[str, Any]) -> None:
        with pytest.raises(openai.BadRequestError) as caught:
            self.make(client, **fields)
        assert caught.value.type == "invalid_request_error"


class TestEmbeddings:
    def make(self, client: openai.OpenAI, **more: Any) -> Any:
        fields: dict[str, Any] = {"model": "skerry-embedding", "input": "A cat."}
        return client.embeddings.create(**(fields | more))

    def test_unit_vectors_near_what_is_near(self, client: openai.OpenAI) -> None:
        answer = self.make(client, input=["A cat.", "A kitten.", "Tax law of 1911."])
        cat, kitten, tax = (one.embedding for one in answer.data)
        assert [one.index for one in answer.data] == [0, 1, 2]
        assert len(cat) == 384
        assert math.isclose(dot(cat, cat), 1, abs_tol=1e-5)
        assert dot(cat, kitten) > dot(cat, tax) + 0.2
        assert answer.usage.prompt_tokens == answer.usage.total_tokens > 9

    def test_base64_is_the_same(self, client: openai.OpenAI) -> None:
        """The client asks for base64 itself unless a format is given."""
        plain = self.make(client, encoding_format="float").data[0].embedding
        packed = self.make(client).data[0].embedding
        assert plain == pytest.approx(packed, abs=1e-6)

    def test_many(self, client: openai.OpenAI) -> None:
        answer = self.make(client, input=[f"Text {number}." for number in range(100)])
        assert [one.index for one in answer.data] == list(range(100))

    def test_its_own_name(self, client: openai.OpenAI) -> None:
        assert self.make(client, model="minilm-l6-int8", dimensions=384).data

    @pytest.mark.parametrize(
        "fields",
        [
            {"dimensions": 128},
            {"input": ""},
            {"input": []},
            {"input": [1, 2, 3]},
            {"input": "word " * 2000},
            {"model": MODEL},
        ],
        ids=lambda fields: str(fields)[:40],
    )
    def test_bad_request(self, client: openai.OpenAI, fields: dict[str, Any]) -> None:
        with pytest.raises(openai.BadRequestError):
            self.make(client, **fields)


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_models(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"skerry", MODEL, "skerry-embedding", "minilm-l6-int8"} <= set(names)
    assert len(names) == len(set(names))
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-9")
