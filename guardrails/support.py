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
from skerry.guardrails.english import FUNCTION_WORDS
from skerry.guardrails.sentences import sentences

_WORD = re.compile(r"[^\W\d_]{2,40}")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_DENIAL = re.compile(
    r"\b(?:not|no|never|nor|none|neither|without|cannot|nobody|nothing)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,3}[.)])\s+")
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
    def is_heading(self) -> bool:
        """Whether it only names what it is under."""
        said = " ".join(self.text.split()).casefold()
        return any(said == " ".join(line.split()).casefold() for line in self.about.split("\n"))

    def takes_up(self, question: str) -> bool:
        """Whether it has a word or number of the question that is not only in its context.

        True as well where the question asks for nothing beyond the context.
        """
        asked = content_stems(question) | numbers(question)
        wanted = asked - content_stems(self.context) - numbers(self.context)
        return not wanted or bool(wanted & (content_stems(self.text) | numbers(self.text)))

    @property
    def spoken(self) -> str:
        """The text without a list's bullet; a table row with the name of each column before its
        cell."""
        if not self.header:
            return _BULLET.sub("", self.text)
        pairs = zip(_cells(self.header), _cells(self.text), strict=False)
        return "; ".join(f"{name}: {cell}" for name, cell in pairs if cell) + "."

    def keeps_columns(self, claim: str) -> bool:
        """Whether what the claim says under the name of a column is in that column of the row."""
        if not self.header:
            return True
        row = dict(
            zip(map(_name, _cells(self.header)), map(_name, _cells(self.text)), strict=False)
        )
        said = (pair.partition(":") for pair in claim.split(";"))
        named = ((_name(name), _name(value)) for name, colon, value in said if colon)
        return all(row[name] == value for name, value in named if row.get(name))


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


def quotable(source: Evidence) -> Iterator[Passage]:
    """The passages that say something: headings only name it."""
    return (one for one in passages(source) if not one.is_heading)


def _name(text: str) -> str:
    """A cell for comparing: one case, one space between words, no full stop at the end."""
    return " ".join(text.split()).casefold().rstrip(".")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def support(sentence: str, source: str) -> float:
    """The share of the sentence's content stems that the source has; 0 for none at all."""
    stems = content_stems(sentence)
    return len(stems & content_stems(source)) / len(stems) if stems else 0.0


@dataclass(frozen=True, slots=True)
class Floors:
    """Least shares, in [0, 1], of a claim's content words that one passage must have.

    `all`: of all of them. `told`: of those that the question does not have already, since to
    repeat the question is no merit.
    """

    all: float
    told: float


def supporting(claim: str, question: str, source: Evidence, floors: Floors) -> list[Passage]:
    """The passages that each hold the claim by themselves, with their context counted in.

    What is stitched together from two passages has none.
    """
    said = content_stems(claim)
    told = said - content_stems(question)
    return [
        one
        for one in passages(source)
        if one.keeps_columns(claim)
        and (has := content_stems(f"{one.context}\n{one.text}"))
        and len(said & has) >= floors.all * max(len(said), 1)
        and len(told & has) >= floors.told * len(told)
    ]


def best_support(sentence: str, source: Evidence) -> float:
    """The support by the passage that supports it most, with its context."""
    shares = (support(sentence, f"{one.context}\n{one.text}") for one in passages(source))
    return max(shares, default=0.0)


def denies(text: str) -> bool:
    """Whether the text says "not" in some form."""
    return _DENIAL.search(text) is not None


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


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words of a source, and its mark.

    `fits`: they take up what is asked, not its subject alone.
    """

    text: str
    mark: int
    fits: bool

    @classmethod
    def of(cls, passage: Passage, source: Evidence, question: str) -> Quotation:
        return cls(passage.spoken, source.mark, passage.takes_up(question))


def quotation(question: str, evidence: Sequence[Evidence]) -> Quotation | None:
    """The passage of the evidence that shares most with the question.

    What a passage says itself counts double beside its context. None when the best one has
    less than half of the question's content words.
    """
    asked = content_stems(question)
    best: tuple[int, Passage, Evidence] | None = None
    for one in evidence:
        for passage in quotable(one):
            own = len(asked & content_stems(passage.text))
            whole = len(asked & content_stems(f"{passage.context}\n{passage.text}"))
            if own and whole * 2 >= len(asked) and (best is None or own + whole > best[0]):
                best = (own + whole, passage, one)
    return None if best is None else Quotation.of(best[1], best[2], question)
