"""How far a sentence is supported by a source, by its words and numbers. Pure.

Lexical support is necessary, not sufficient: a sentence that says the opposite with the
same words passes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence or table row of a source, and what it is about: title and headings.

    `header` is the header row of the table that a row is in.
    """

    text: str
    about: str
    header: str = ""

    @property
    def context(self) -> str:
        return f"{self.about}\n{self.header}"

    @property
    def spoken(self) -> str:
        """The text; a table row with the name of each column before its cell."""
        if not self.header:
            return self.text
        pairs = zip(_cells(self.header), _cells(self.text), strict=False)
        return "; ".join(f"{name}: {cell}" for name, cell in pairs if cell) + "."


def passages(source: Evidence) -> Iterator[Passage]:
    """The sentences and table rows of a source, in order."""
    header = ""
    for start, end in sentences(source.text):
        text = source.text[start:end].strip()
        if not text.startswith("|"):
            header = ""
        elif not header:
            header = text
            continue
        yield Passage(text, source.context, header)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def support(sentence: str, source: str) -> float:
    """The share of the sentence's content stems that the source has; 0 for none at all."""
    stems = content_stems(sentence)
    return len(stems & content_stems(source)) / len(stems) if stems else 0.0


def best_support(sentence: str, evidence: Sequence[Evidence]) -> tuple[float, Evidence | None]:
    """The source that supports the sentence best; the earlier one wins a tie."""
    scored = [(support(sentence, f"{one.context}\n{one.text}"), one) for one in evidence]
    return max(scored, key=lambda pair: pair[0], default=(0.0, None))


def numbers_hold(sentence: str, evidence: Sequence[Evidence], floor: float) -> bool:
    """Whether the numbers of `sentence` are about what it says they are about.

    Each number must be in a passage that has at least `floor` of the sentence's content
    words, its context counted in: "extension 231" is not held by a row about somebody else.
    """
    wanted = numbers(sentence)
    return all(
        any(
            number in numbers(passage.text)
            and support(sentence, f"{passage.context}\n{passage.text}") >= floor
            for one in evidence
            for passage in passages(one)
        )
        for number in wanted
    )


def quotation(question: str, evidence: Sequence[Evidence]) -> tuple[str, int] | None:
    """The passage of the evidence that shares most with the question, with its mark.

    What a passage says itself counts double beside its context. None when the best one has
    less than half of the question's content words.
    """
    asked = content_stems(question)
    best: tuple[float, str, int] | None = None
    for one in evidence:
        for passage in passages(one):
            own = len(asked & content_stems(passage.text))
            whole = len(asked & content_stems(f"{passage.context}\n{passage.text}"))
            if own and whole * 2 >= len(asked) and (best is None or own + whole > best[0]):
                best = (own + whole, passage.spoken, one.mark)
    return None if best is None else best[1:]
