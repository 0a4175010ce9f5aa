"""What a text says: the stems of its content words, its numbers, whether it denies. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

import snowballstemmer

from skerry.guardrails.english import FUNCTION_WORDS

_WORD = re.compile(r"[^\W\d_]{2,40}")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_BOUNDED = (
    r" (?:[a-z]+ ){0,2}(?:(?:more|less|fewer|later|earlier|longer|higher|lower) than|exceed) "
    r"(?:\d|[£$€]|(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|half|an?)\b)"
)
"""After "not": a bound on a number, which is no denial."""
_DENIAL = re.compile(
    rf"\b(?:(?:not|no|never)\b(?! only\b|{_BOUNDED})|"
    r"(?:nor|none|neither|without|cannot|nobody|nothing)\b)|n['\u2019]t\b",
    re.IGNORECASE,
)
_STOP = FUNCTION_WORDS | frozenset(
    """
    such other own same too only according source sources document documents following answer
    based context information provided states
    """.split()
)
"""What says nothing in an answer: function words, and words that point at sources."""


@lru_cache(maxsize=1)
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


_SHORT = 1_000  # characters


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning (Porter2 for English)."""
    return _known_stems(text) if len(text) <= _SHORT else _content_stems(text)


def _content_stems(text: str) -> frozenset[str]:
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in words if word not in _STOP)


_known_stems = lru_cache(maxsize=1_024)(_content_stems)
"""Of short texts: clauses and sentences are asked for again and again within one check."""


def numbers(text: str) -> frozenset[str]:
    """The numbers in `text`, thousands separators removed, trailing zeros of decimals too."""
    return frozenset(_plain(number) for number in _NUMBER.findall(text))


def _plain(number: str) -> str:
    bare = re.sub(r",(?=\d{3}(?:\D|$))", "", number)
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def denies(text: str) -> bool:
    """Whether the text says "not" in some form."""
    return _DENIAL.search(text) is not None
