"""Vectors for one request: each text once, and one of them ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import numpy as np

from skerry.edge.encoder import Vectors
from skerry.edge.encoding import Encoding


class Plain:
    """An encoder that notes what it was asked for."""

    id = "plain@1"
    dimensions = 1
    max_tokens = 9

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text)] for text in texts], np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text)


class Eager(Plain):
    """The same, which can begin, and notes what was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.ended: list[str] = []

    def begin(self, text: str) -> Callable[[], Vectors]:
        self.begun.append(text)

        def end() -> Vectors:
            self.ended.append(text)
            return np.array([[len(text)]], np.float32)

        return end


def test_what_was_begun_is_not_encoded_again() -> None:
    encoder = Eager()
    with closing(Encoding(encoder)) as encode:
        encode.begin("one")
        encode.begin("one")
        assert encode(["one", "seven", "one"]).tolist() == [[3], [5], [3]]
        encode.begin("seven")
        assert encode(["seven"]).tolist() == [[5]]
    assert (encoder.begun, encoder.ended, encoder.asked) == (["one"], ["one"], ["seven"])


def test_an_encoder_that_cannot_begin_encodes_when_it_is_asked() -> None:
    encoder = Plain()
    with closing(Encoding(encoder)) as encode:
        encode.begin("one")
        assert encoder.asked == []
        assert encode(["one"]).tolist() == [[3]]
    assert encoder.asked == ["one"]


def test_what_was_begun_has_ended_when_it_is_left() -> None:
    encoder = Eager()
    with closing(Encoding(encoder)) as encode:
        encode.begin("one")
        assert encoder.ended == []
    assert encoder.ended == ["one"]
