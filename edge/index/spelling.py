"""Finds how the documents spell a word that a query has wrong by one letter.

A word is looked at when no document has it, and when it is not common English, which the
encoder's vocabulary has as one piece: "horse" is never read as "house". One letter more, less,
another or two exchanged is one error (Damerau 1964); two are not mended, since names of drugs
differ by as little. An error at the end of a word may change its stem by more: what begins like a
stem of the documents is one of their words if as a whole it is one error away.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from skerry.edge.index import postings
from skerry.edge.index.words import WordSplitter

_WORD = re.compile(r"[^\W\d_]{5,40}")
_MOST_WORDS = 60  # of a query
_MOST_UNKNOWN = 6  # of its words
_MOST_NEAR = 8  # spellings of each
_ONE_ERROR = 1
_SHORTEST_BEGINNING = 4

Texts = Callable[[str], Iterable[str]]
"""Some texts with a stem, of those that a query may see."""


def uncommon(splitter: WordSplitter, text: str, is_common: Callable[[str], bool]) -> dict[str, str]:
    """The words of `text` that are not common English, with their stems; few, in their order."""
    words = list(dict.fromkeys(_WORD.findall(text)))[:_MOST_WORDS]
    rare = [word for word in words if not is_common(word)]
    stems = zip(rare, splitter.counts(rare), strict=True)
    return {word: next(iter(found)) for word, found in stems if len(found) == 1}


def unknown(
    connection: sqlite3.Connection, words: Mapping[str, str], texts: Texts
) -> dict[str, str]:
    """Those of `words` that no document has which the query may see; few, in their order.

    A word that only other documents have is as unknown as any: whether it is mended must not
    tell that it is there.
    """
    known = postings.find_words(connection, list(words.values()))
    missing = (word for word, stem in words.items() if stem not in known or not any(texts(stem)))
    return {word: words[word] for word, _ in zip(missing, range(_MOST_UNKNOWN), strict=False)}


def near(connection: sqlite3.Connection, stem: str) -> tuple[list[str], list[str]]:
    """Stems that the documents have, with the same first letter: those one error away, and
    beginnings of `stem` with at most one error, the longest first. Few of each."""
    from rapidfuzz.distance import OSA

    shortest = min(_SHORTEST_BEGINNING, len(stem) - _ONE_ERROR)
    rows = connection.execute(
        "SELECT word FROM words WHERE word >= ? AND word < ? AND length(word) BETWEEN ? AND ?",
        (stem[0], stem[0] + "\U0010ffff", shortest, len(stem) + _ONE_ERROR),
    )
    close, begin = [], []
    for (word,) in rows:
        if OSA.distance(stem, word, score_cutoff=_ONE_ERROR) <= _ONE_ERROR:
            close.append(word)
        elif OSA.distance(stem[: len(word)], word, score_cutoff=_ONE_ERROR) <= _ONE_ERROR:
            begin.append(word)
    return close[:_MOST_NEAR], sorted(begin, key=len, reverse=True)[:_MOST_NEAR]


def spellings(
    connection: sqlite3.Connection, splitter: WordSplitter, missing: Mapping[str, str], texts: Texts
) -> dict[str, str]:
    """For each missing word, given with its stem, how the documents write what it may be."""
    found = {}
    for word, stem in missing.items():
        close, begin = near(connection, stem)
        ways = chain(
            (_written(splitter, word, one, texts(one)) for one in close),
            (_within_an_error(word, _written(splitter, word, one, texts(one))) for one in begin),
        )
        if spelt := next((way for way in ways if way), None):
            found[word] = spelt
    return found


def _written(splitter: WordSplitter, word: str, stem: str, texts: Iterable[str]) -> str | None:
    """How `texts` write `stem`, as near to `word` as they do; None if none has it."""
    found: list[str] = list(dict.fromkeys(chain.from_iterable(map(_WORD.findall, texts))))
    has_stem = zip(found, splitter.counts(found), strict=True)
    return min((one for one, stems in has_stem if stem in stems), key=_farness(word), default=None)


def _within_an_error(word: str, written: str | None) -> str | None:
    return written if written and _farness(word)(written)[0] <= _ONE_ERROR else None


def _farness(word: str) -> Callable[[str], tuple[int, int]]:
    """How many errors a way to write is from `word`, first whatever the case of letters."""
    from rapidfuzz.distance import OSA

    return lambda way: (OSA.distance(word.casefold(), way.casefold()), OSA.distance(word, way))


def replaced(text: str, spellings: Mapping[str, str]) -> str:
    """`text` with these words spelt so."""
    return _WORD.sub(lambda found: spellings.get(found.group(), found.group()), text)
