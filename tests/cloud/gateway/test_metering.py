"""Usage is read while answers pass, however they are cut; nothing else of them changes."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.cloud.gateway.asked import read
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.metering import JsonMeter, StreamMeter, Tokens, meter
from tests.cloud.gateway.configured import configured

WORD = json.dumps({"choices": [{"delta": {"content": "é\n\n data: w"}}], "usage": None})
LAST = json.dumps({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
BOTH = json.dumps({"choices": [{}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
CONFIG = configured()


def _stream(*events: str, gap: str = "\n\n") -> bytes:
    return "".join(f"data: {event}{gap}" for event in (*events, "[DONE]")).encode()


def _fed(seen: StreamMeter, data: bytes, cuts: list[int]) -> bytes:
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    parts = [seen.feed(data[a:b]) for a, b in pairwise(places)]
    return b"".join(parts) + seen.rest()


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n"])
@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_the_event_that_nobody_asked_for_is_dropped(gap: str, cuts: list[int]) -> None:
    seen = StreamMeter(drops=True)
    passed = _fed(seen, _stream(WORD, WORD, WORD, LAST, gap=gap), cuts)
    assert passed == _stream(WORD, WORD, WORD, gap=gap)
    assert seen.tokens(100) == Tokens(7, 3, 0)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_what_is_no_stream_passes_as_it_is(data: bytes, cuts: list[int]) -> None:
    assert _fed(StreamMeter(drops=True), data, cuts) == data


@given(cuts=st.lists(st.integers(0, 400), max_size=12))
def test_what_was_asked_for_stays(cuts: list[int]) -> None:
    data = _stream(WORD, LAST)
    seen = StreamMeter(drops=False)
    assert _fed(seen, data, cuts) == data
    assert seen.tokens(0) == Tokens(7, 3, 0)


def test_usage_beside_words_is_no_event_of_its_own() -> None:
    seen = StreamMeter(drops=True)
    assert _fed(seen, _stream(BOTH), []) == _stream(BOTH)


def test_an_event_without_end_does_not_fill_the_memory() -> None:
    seen = StreamMeter(drops=True)
    passed = sum(len(seen.feed(b"x" * 65_536)) for _ in range(64))
    assert passed >= 48 * 65_536


def test_without_usage_events_are_counted() -> None:
    seen = StreamMeter(drops=True)
    word = json.dumps({"choices": [{"delta": {"content": "a"}}]})
    _fed(seen, _stream(word, word), [])
    assert seen.tokens(9) == Tokens(3, 2, 5)


@pytest.mark.parametrize(
    ("answer", "tokens"),
    [
        (b'{"usage":{"prompt_tokens":7,"completion_tokens":3}}', Tokens(7, 3, 0)),
        (b'{"usage":{"prompt_tokens":7}}', Tokens(7, 0, 0)),
        (b'{"usage":{"prompt_tokens":-7}}', Tokens(0, 0, 0)),
        (b'{"usage":{"prompt_tokens":1%s}}' % (b"0" * 18), Tokens(1_000_000_000, 0, 0)),
        (b'{"usage":{"prompt_tokens":1%s}}' % (b"0" * 40), Tokens(1_000_000_000, 0, 0)),
        (b'{"usage":null}', Tokens(2, 3, 5)),
        (b"no JSON", Tokens(2, 1, 3)),
        (b"", Tokens(2, 0, 2)),
    ],
)
def test_answers_in_one_piece(answer: bytes, tokens: Tokens) -> None:
    seen = meter("application/json", drops=True)
    assert isinstance(seen, JsonMeter)
    assert seen.feed(answer) == answer
    assert seen.tokens(8) == tokens


def test_of_a_long_answer_the_end_is_enough() -> None:
    seen = JsonMeter()
    seen.feed(b'{"data":[')
    for _ in range(100):
        seen.feed(b"0.12345," * 10_000)
    seen.feed(b'1],"usage":{"prompt_tokens":7,"total_tokens":7,"details":{"a":1}},"id":"x"}')
    assert seen.tokens(8) == Tokens(7, 0, 0)


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    _read_or_refused(body)


@given(
    st.dictionaries(
        st.sampled_from(["model", "stream", "messages", "x-skerry-class", "stream_options", "a"]),
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9),
            lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text(), some, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_any_object_is_read_or_refused(body: dict[str, object]) -> None:
    _read_or_refused(json.dumps(body).encode())


def _read_or_refused(body: bytes) -> None:
    """Anything but a refusal fails."""
    with suppress(Refusal):
        asked = read(body, {}, CONFIG, ("clinic", CONFIG.tenants["clinic"]))
        assert asked.model == "mid"
