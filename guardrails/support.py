"""How far a sentence is supported by a source, by its words and numbers. Pure.

Lexical support is necessary, not sufficient: a sentence that says the opposite with the
same words passes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import snowballstemmer

from skerry.guardrails.answer import Evidence
from skerry.guardrails.sentences import sentences

_WORD = re.compile(r"[^\W\d_]{2,40}")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_STOP = frozenset(
    """
    a an the and or but if then than that this these those is are was were be been being am
    it its he she they we you i his her their our your my me him them us of in on at to for
    from by with without about as into over under per do does did done has have had having can
    could may might must shall should will would not no nor so such there here what which who
    whom whose when where why how all any each every some more most other own same too very
    also just only according source sources document documents following answer based
    context information provided states
    """.split()
)


@lru_cache(maxsize=1)
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


def content_stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning (Porter2 for English)."""
    words = (word.lower() for word in _WORD.findall(text))
    return frozenset(_stem(word) for word in words if word not in _STOP)


def numbers(text: str) -> frozenset[str]:
    """The numbers in `text`, thousands separators removed, trailing zeros of decimals too."""
    return frozenset(_plain(number) for number in _NUMBER.findall(text))


def _plain(number: str) -> str:
    bare = re.sub(r",(?=\d{3}(?:\D|$))", "", number)
    return bare.rstrip("0").rstrip(".") if "." in bare else bare


def support(sentence: str, source: str) -> float:
    """The share of the sentence's content stems that the source has; 0 for none at all."""
    stems = content_stems(sentence)
    return len(stems & content_stems(source)) / len(stems) if stems else 0.0


def best_support(sentence: str, evidence: Sequence[Evidence]) -> tuple[float, Evidence | None]:
    """The source that supports the sentence best; the earlier one wins a tie."""
    scored = [(support(sentence, one.text), one) for one in evidence]
    return max(scored, key=lambda pair: pair[0], default=(0.0, None))


def missing_numbers(sentence: str, sources: Iterable[str]) -> frozenset[str]:
    """The numbers of the sentence that no source has."""
    known: frozenset[str] = frozenset().union(*(numbers(source) for source in sources))
    return numbers(sentence) - known


def quotation(question: str, evidence: Sequence[Evidence]) -> tuple[str, int] | None:
    """The sentence of the evidence that shares most with the question, with its mark.

    None when no sentence shares two content words, or the only one that the question has.
    """
    asked = content_stems(question)
    best, least = None, min(2, len(asked))
    for one in evidence:
        for start, end in sentences(one.text):
            text = one.text[start:end].strip()
            shared = len(asked & content_stems(text))
            if shared >= max(least, 1) and (best is None or shared > best[0]):
                best = (shared, text, one.mark)
    return None if best is None else (best[1], best[2])
