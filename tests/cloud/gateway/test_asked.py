"""Which model, class and limits a request comes to. Pure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.cloud.gateway.asked import Asked, body_for, read
from skerry.cloud.gateway.config import Gateway
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.fleet import part
from tests.cloud.gateway.configured import configured

MORE = """[models.large]
tier = "large"
template = "chat-1"
replicas = ["http://a"]
upstream_model = "org/large"
adapters = { triage = "large-triage" }
[models.deep]
tier = "reasoning"
template = "chat-1"
replicas = ["http://b"]
thinking = { field = "thinking_token_budget", tokens = 100 }
[models.own]
tier = "mid"
template = "chat-1"
path = "x.gguf"
[tiers.reasoning]
max_tokens = 500
[classes.triage]
tier = "large"
[classes.reasoning]
tier = "reasoning"
[tenants.few]
classes = ["triage"]
models = ["large", "mid"]
"""
CONFIG = configured(MORE)


def _read(body: dict[str, Any], tenant: str = "clinic", **headers: str) -> Asked:
    return _of(CONFIG, body, tenant, **headers)


def _of(config: Gateway, body: dict[str, Any], tenant: str = "clinic", **headers: str) -> Asked:
    named = {f"x-skerry-{name}": value for name, value in headers.items()}
    return read(json.dumps(body).encode(), named, config, (tenant, config.tenants[tenant]))


@pytest.mark.parametrize(
    ("body", "headers", "model", "request_class"),
    [
        ({}, {}, "mid", "default"),
        ({"model": "auto"}, {}, "mid", "default"),
        ({"model": "large"}, {}, "large", "default"),
        ({"model": "reasoning"}, {}, "deep", "default"),
        ({}, {"class": "triage"}, "large", "triage"),
        ({"x-skerry-class": "reasoning"}, {}, "deep", "reasoning"),
        ({"x-skerry-class": "reasoning"}, {"class": "triage"}, "large", "triage"),
        ({"model": "mid"}, {"class": "reasoning"}, "mid", "reasoning"),
    ],
)
def test_which_model_answers(
    body: dict[str, Any], headers: dict[str, str], model: str, request_class: str
) -> None:
    asked = _read(body, **headers)
    assert (asked.model, asked.request_class) == (model, request_class)


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ({}, {}, "class_not_allowed"),
        ({}, {"class": "reasoning"}, "class_not_allowed"),
        ({"model": "deep"}, {"class": "triage"}, "model_not_found"),
        ({"model": "own"}, {"class": "triage"}, "model_not_found"),
    ],
)
def test_what_a_tenant_may_not_ask(
    body: dict[str, Any], headers: dict[str, str], code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        _read(body, "few", **headers)
    assert refused.value.code == code


def test_a_model_of_this_process_answers_no_request() -> None:
    with pytest.raises(Refusal, match="only devices that draft"):
        _read({"model": "own"})


def _sent(body: dict[str, Any], name: str, **headers: str) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(
        body_for(_read(body, **headers), name, CONFIG, generates=True)
    )
    return sent


def test_an_adapter_is_the_model_of_its_class() -> None:
    assert _sent({}, "large", **{"class": "triage"}) == {"model": "large-triage"}
    assert _sent({"x-skerry-class": "reasoning"}, "large") == {"model": "org/large"}


@pytest.mark.parametrize(
    ("body", "limits"),
    [
        ({}, {"max_tokens": 500, "thinking_token_budget": 100}),
        ({"max_tokens": 9, "thinking_token_budget": 0}, {}),
        ({"max_tokens": -1, "thinking_token_budget": -1},
         {"max_tokens": 500, "thinking_token_budget": 100}),
        ({"max_tokens": 501, "max_completion_tokens": 10**9, "thinking_token_budget": 101},
         {"max_tokens": 500, "max_completion_tokens": 500, "thinking_token_budget": 100}),
        ({"max_completion_tokens": 7, "reasoning_effort": "high"}, {"thinking_token_budget": 100}),
    ],
)  # fmt: skip
def test_tokens_and_thinking_have_limits(body: dict[str, Any], limits: dict[str, int]) -> None:
    assert _sent(body, "deep") == {**body, "model": "deep", **limits}


def test_limits_are_whole_numbers() -> None:
    with pytest.raises(Refusal, match="'max_tokens' should be a whole number"):
        _sent({"max_tokens": "many"}, "deep")


def test_options_of_a_stream_are_kept() -> None:
    body = {"stream": True, "stream_options": {"chunk_size": 4}}
    assert _sent(body, "mid")["stream_options"] == {"chunk_size": 4, "include_usage": True}
    quiet = configured().models["mid"].model_copy(update={"stream_usage": False})
    config = CONFIG.model_copy(update={"models": {"mid": quiet}})
    assert b"include_usage" not in body_for(_read(body), "mid", config, generates=True)


def test_of_two_equal_fields_the_last_counts_for_everybody() -> None:
    """Else a server might read another model than the gateway allowed."""
    twice = b'{"model":"deep","model":"mid"}'
    asked = read(twice, {}, CONFIG, ("clinic", CONFIG.tenants["clinic"]))
    assert body_for(asked, asked.model, CONFIG, generates=True) == b'{"model":"mid"}'


def test_sessions_are_of_one_tenant() -> None:
    same = {"messages": [{"role": "user", "content": "a"}]}
    assert _read(same).session == _read(same).session
    assert _read(same).session != _read(same, "other").session
    assert _read(same, session="a").session == _read({}, session="a").session
    assert _read({}, session="a").session != _read({}, session="b").session


def test_a_canary_has_its_share_of_sessions_and_keeps_them() -> None:
    base = MORE.replace('upstream_model = "org/large"', 'canary = { model = "mid", share = 0.25 }')
    config = configured(base)
    models = [_of(config, {"model": "large"}, session=str(i)).model for i in range(400)]
    assert models == [_of(config, {"model": "large"}, session=str(i)).model for i in range(400)]
    assert 60 <= models.count("mid") <= 140
    assert 0 <= part(b"x", "canary") < 1
