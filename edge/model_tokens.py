"""How many tokens a text may take in a model whose tokenizer is not at hand.

Prompts are assembled before a model is loaded, or for a model in the cloud, so the encoder's
WordPieces are counted. That is near for words of plain letters. A WordPiece vocabulary makes one
unknown token of what a byte-level vocabulary spells out, and such text is counted by its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable

CountTokens = Callable[[str], int]

# Letters that are not ASCII; digits, which many models split one by one; words in capitals, which
# WordPieces do not tell from others; and what is too long for a WordPiece (100 characters).
_SPELLED_OUT = re.compile(r"[^\x00-\x7f]+|\d+|[A-Z]{5,}|[^\s\d]{100,}")


def spelled_out(text: str) -> int:
    """Bytes of `text` that a model may spell out one by one, where WordPieces do not tell."""
    return sum(len(found.encode("utf-8", "replace")) for found in _SPELLED_OUT.findall(text))


def at_most(count: CountTokens) -> CountTokens:
    """A count of WordPieces, made one that few models exceed."""
    return lambda text: count(text) + spelled_out(text)
