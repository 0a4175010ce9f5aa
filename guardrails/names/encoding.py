"""A text as the names classifier reads it: WordPieces without case, and the case of each word.

The vocabulary knows no capitals, so that "ada" and "Ada" share what is known of the word; how a
word is written is told beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LABELS = ("person", "place", "organisation")
SHAPES = 7
LONGEST = 128
"""Tokens in one pass, with the two that mark start and end."""
_OTHER, _LOWER, _TITLE, _UPPER, _MIXED, _INITIAL, _DIGITS = range(SHAPES)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text: equal numbers of `ids`, `shapes`, `spans`, `words` and `wordy`.

    `spans` are offsets in the text; tokens with the same number in `words` are of one word;
    `wordy` says whether that word has two characters or more, a letter among them.
    """

    ids: list[int]
    shapes: list[int]
    spans: list[tuple[int, int]]
    words: list[int]
    wordy: list[bool]

    def windows(self) -> Iterator[tuple[int, int]]:
        """Parts (start, end) of at most `LONGEST` - 2 tokens that cut no word, if they can."""
        start = 0
        while start < len(self.ids):
            end = min(start + LONGEST - 2, len(self.ids))
            yield start, (end := self._before_a_word(start, end))
            start = end

    def _before_a_word(self, start: int, end: int) -> int:
        cut = end
        while cut < len(self.ids) and cut > start and self.words[cut] == self.words[cut - 1]:
            cut -= 1
        return cut if cut > start else end


def tokens(tokenizer: Tokenizer, text: str) -> Tokens:
    """The tokens of `text`, which is a plain copy (`normal.normalise`)."""
    encoding = tokenizer.encode(text, add_special_tokens=False)
    shapes: dict[int, int] = {}
    wordy: dict[int, bool] = {}
    numbers: list[int] = [-1 if one is None else one for one in encoding.word_ids]
    bounds: dict[int, tuple[int, int]] = {}
    for number, (start, end) in zip(numbers, encoding.offsets, strict=True):
        bounds[number] = (bounds.get(number, (start, end))[0], end)
    for number, (start, end) in bounds.items():
        shapes[number] = shape(text[start:end])
        wordy[number] = end - start > 1 and shapes[number] != _DIGITS
    return Tokens(
        encoding.ids,
        [shapes[one] for one in numbers],
        encoding.offsets,
        numbers,
        [wordy[one] for one in numbers],
    )


def shape(word: str) -> int:
    """How a word is written."""
    if word.isdigit():
        return _DIGITS
    if not word.isalpha():
        return _OTHER
    if word.islower():
        return _LOWER
    if word.isupper():
        return _INITIAL if len(word) == 1 else _UPPER
    return _TITLE if word[1:].islower() else _MIXED
