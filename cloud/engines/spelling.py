"""Tokens as text, where the bytes of each are known. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence


class PieceSpelling:
    """See `skerry.cloud.engines.base.Spelling`. A character that is not whole yet is held back;
    what is no UTF-8 becomes U+FFFD.

    Args:
        piece: the bytes of a token.
        ends: tokens that end an answer.
    """

    def __init__(self, piece: Callable[[int], bytes], ends: frozenset[int]) -> None:
        self._piece, self._ends = piece, ends
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def feed(self, tokens: Sequence[int]) -> str:
        return "".join(
            self._decoder.decode(self._piece(one)) for one in tokens if one not in self._ends
        )
