from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry.edge.engines.base import Sampling
from skerry.edge.errors import InputError
from skerry.edge.escalate import CloudTier, OutgoingMessage, Preview
from tests.edge.escalate.conftest import GOOD, KEY, ScriptedServer, say, text_of

Serve = Callable[..., ScriptedServer]
Make = Callable[..., CloudTier]
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)
ROLE = st.sampled_from(["system", "user", "assistant"])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLE, "content": TEXT}), min_size=1, max_size=5)


def preview(tier: CloudTier, messages: Any, **more: Any) -> Preview:
    return tier.preview(messages, **({"sampling": Sampling(), "max_tokens": 9} | more))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages=MESSAGES, stop=st.lists(st.text("ab\n", min_size=1), max_size=2))
def test_what_is_shown_is_what_is_sent(
    serve: Serve, make_tier: Make, messages: list[dict[str, str]], stop: list[str]
) -> None:
    server = serve(say(GOOD))
    tier = make_tier(server.url)
    shown = preview(tier, messages, stop=stop)
    text_of(tier.send(shown, deadline_s=5, cancel=threading.Event()))
    (request,) = server.requests
    assert request.body == shown.body
    assert len(request.body) == shown.size_bytes
    assert request.header("host") == shown.destination
    arrived = json.loads(request.body)["messages"]
    assert arrived == messages
    assert [(one["role"], one["content"]) for one in arrived] == [
        (one.role, one.text) for one in shown.messages
    ]
    sent_names = {line.split(":")[0].lower() for line in request.head.split("\r\n")[1:]}
    of_http = {"host", "accept", "connection", "content-type", "content-length"}
    assert sent_names - of_http == set(shown.header_names)


def test_generate_sends_what_preview_shows(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    tier = make_tier(server.url)
    messages = [{"role": "user", "content": "hello"}]
    given_ = {"sampling": Sampling(temperature=0.3, seed=4), "max_tokens": 17, "stop": ["."]}
    shown = tier.preview(messages, **given_)
    text_of(tier.generate(messages, deadline_s=5, cancel=threading.Event(), **given_))
    assert server.requests[0].body == shown.body


def test_an_approval_covers_exactly_one_text(make_tier: Make) -> None:
    tier = make_tier("https://api.example.org")
    messages = [{"role": "user", "content": "hello"}]
    approved = preview(tier, messages)
    assert preview(tier, messages, redactions=2).digest == approved.digest
    others = [
        preview(tier, [{"role": "user", "content": "hello "}]),
        preview(tier, [{"role": "system", "content": "hello"}]),
        preview(tier, messages, max_tokens=10),
        preview(tier, messages, stop=["x"]),
        preview(make_tier("https://api.example.com"), messages),
        preview(make_tier("https://api.example.org", model="n"), messages),
    ]
    assert len({approved.digest, *(other.digest for other in others)}) == len(others) + 1


def test_a_preview_hides_the_key_and_is_short_to_print(make_tier: Make) -> None:
    shown = preview(make_tier("https://api.example.org"), [{"role": "user", "content": "x" * 9999}])
    assert KEY not in repr(shown)
    assert KEY.encode() not in shown.body
    assert "authorization" in shown.header_names
    assert len(repr(shown)) < 400


def test_messages_of_other_shapes_are_shown_whole(make_tier: Make) -> None:
    parts = [{"type": "text", "text": "hi"}]
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}
    shown = preview(
        make_tier("https://api.example.org"), [{"role": "user", "content": parts}, call]
    )
    assert shown.messages == (
        OutgoingMessage("user", '[{"type": "text", "text": "hi"}]'),
        OutgoingMessage("assistant", '{"tool_calls": [{"id": "c1"}]}'),
    )


LOOP: list[Any] = []
LOOP.append(LOOP)
UNSENDABLE = {
    "nothing": [],
    "lone surrogate": [{"role": "user", "content": "a\ud800b"}],
    "bytes": [{"role": "user", "content": b"hello"}],
    "not a number": [{"role": "user", "content": float("nan")}],
    "endless": [{"role": "user", "content": LOOP}],
}


@pytest.mark.parametrize("messages", UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_what_cannot_be_sent_as_text(make_tier: Make, messages: Any) -> None:
    with pytest.raises(InputError) as caught:
        preview(make_tier("https://api.example.org"), messages)
    assert caught.value.hint


def test_a_preview_of_elsewhere_is_not_sent(serve: Serve, make_tier: Make) -> None:
    server = serve(say(GOOD))
    tier = make_tier(server.url)
    shown = preview(tier, [{"role": "user", "content": "hello"}])
    forged = replace(shown, url="https://evil.example.org/v1/chat/completions")
    with pytest.raises(InputError, match=r"evil\.example\.org"):
        tier.send(forged, deadline_s=5, cancel=threading.Event())
    assert not server.connections
