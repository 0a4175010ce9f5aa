"""What streams show does not depend on how tokens cut the bytes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.edge.engines.text import TextStream, clean_text

STOPS = st.lists(st.text("ab<é👍", min_size=1, max_size=4), max_size=3)
TEXTS = st.text("ab<é👍 ", max_size=30)


def shown(data: bytes, cuts: list[int], stop: list[str]) -> tuple[str, bool]:
    """What a stream shows of `data` cut at `cuts`."""
    stream = TextStream(stop)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    out = ""
    for start, end in itertools.pairwise(edges):
        out += stream.feed(data[start:end])
        assert stream.shown == len(out)
        if stream.stopped:
            return out, True
    return out + stream.finish(), False


@given(TEXTS, STOPS, st.lists(st.integers(0, 1000), max_size=12))
def test_shown_is_the_text_before_the_first_stop(
    text: str, stop: list[str], cuts: list[int]
) -> None:
    out, stopped = shown(text.encode(), cuts, stop)
    ends = [(text.find(s) + len(s), text.find(s)) for s in stop if s in text]
    expected = text[: min(ends)[1]] if ends else text
    assert (out, stopped) == (expected, bool(ends))
    assert not any(s in out for s in stop)


@given(st.binary(max_size=30), st.lists(st.integers(0, 1000), max_size=12))
def test_any_bytes_become_text(data: bytes, cuts: list[int]) -> None:
    out, _ = shown(data, cuts, [])
    whole = data.decode("utf-8", "replace")
    assert whole.startswith(out)
    assert set(whole[len(out) :]) <= {"\ufffd"}  # an unfinished end is dropped


def test_a_character_is_shown_when_it_is_whole() -> None:
    stream = TextStream()
    assert [stream.feed(bytes([byte])) for byte in "é👍".encode()] == ["", "é", "", "", "", "👍"]


def test_an_unfinished_character_at_the_end_is_dropped() -> None:
    stream = TextStream()
    assert stream.feed(b"ok \xf0\x9f") == "ok "
    assert stream.finish() == ""


def test_a_possible_stop_is_held_back_and_then_shown() -> None:
    stream = TextStream(["END"])
    assert [stream.feed(part) for part in (b"a E", b"N", b"T")] == ["a ", "", "ENT"]
    assert not stream.stopped


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("café 👍", "café 👍"),
        ("a\x00b", "a\ufffdb"),
        ("half \ud83d", "half \ufffd"),
        ("\udc4d late", "\ufffd late"),
        ("\ud83d\udc4d", "👍"),
        ("tab\tand\r\nlines", "tab\tand\r\nlines"),
    ],
)
def test_clean_text(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(st.characters(codec=None), max_size=20))
def test_clean_text_is_always_unicode_and_stays_so(text: str) -> None:
    clean = clean_text(text)
    assert clean.encode("utf-8").decode() == clean == clean_text(clean)
