"""The official client, through a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.cloud.gateway.configured import BASE, OTHER, USER, configured
from tests.cloud.gateway.upstreams import FakeUpstream, Running, gateway, upstream

SAID = [{"role": "user", "content": "Tell me of the sea."}]


@pytest.fixture
def fake() -> Iterator[FakeUpstream]:
    with upstream() as one:
        yield one


@pytest.fixture
def running(fake: FakeUpstream, tmp_path: Path) -> Iterator[Running]:
    base = BASE.replace("http://127.0.0.1:1/v1", fake.url)
    base = base.replace(
        "[tenants.other]\n", "[tenants.other]\nrequests_per_minute = 1\nburst = 1\n"
    )
    with gateway(configured(base=base), tmp_path) as one:
        yield one


def _client(running: Running, key: str = USER) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{running.url}/v1", api_key=key, max_retries=0)


def test_answers_streams_and_models(running: Running, fake: FakeUpstream) -> None:
    with _client(running) as client:
        assert [model.id for model in client.models.list()] == ["mid"]
        answer = client.chat.completions.create(model="mid", messages=SAID)
        assert answer.usage is not None
        assert answer.usage.prompt_tokens == 7
        asked = client.chat.completions.create(model="mid", messages=SAID, stream=True)
        words = [chunk.choices[0].delta.content for chunk in asked if chunk.choices]
    assert words == ["w1 ", "w2 ", "w3 "]


def test_refusals_are_the_clients_own_errors(running: Running, fake: FakeUpstream) -> None:
    with _client(running, "wrong") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()
    with _client(running) as client, pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="none", messages=SAID)
    assert unknown.value.code == "model_not_found"
    with _client(running, OTHER) as client:
        client.models.list()
        with pytest.raises(openai.RateLimitError) as limited:
            client.models.list()
    assert limited.value.response.headers["retry-after"] == "60"


def test_an_error_in_a_stream_is_raised(running: Running, fake: FakeUpstream) -> None:
    fake.breaks = True
    with _client(running) as client, pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(model="mid", messages=SAID, stream=True))
