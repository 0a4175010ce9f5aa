"""The passages of a source, sentences and table rows: what each is about, which to quote. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import gives
from skerry.guardrails.sentences import sentences
from skerry.guardrails.words import content_stems, numbers

_LINE = re.compile(r"(?:[-*•‣◦+|>#]|\d{1,3}[.)]\s)")
_BLANK_LINE = 2  # line ends
_RULE = re.compile(r"\|[\s|:-]*-[\s|:-]*")
_ENDS = re.compile(r"[.!?:]\W*$")
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,3}[.)])\s+")


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

    @property
    def is_rule(self) -> bool:
        """Whether it is the line between the header of a table and its rows."""
        return _RULE.fullmatch(self.text) is not None

    @property
    def is_question(self) -> bool:
        """Whether it asks and tells nothing, as the first line of a page of questions does."""
        return self.text.rstrip("*_ \"'”’)").endswith("?")

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

    @property
    def quoted(self) -> str:
        """As it is spoken, with the heading before an item of a list that is no sentence.

        "Rings and bracelets" says nothing without "What is forbidden".
        """
        heading = self.about.rstrip("\n").rpartition("\n")[2]
        if self.header or not heading or not _BULLET.match(self.text) or _ENDS.search(self.text):
            return self.spoken
        return f"{heading}: {self.spoken}"

    @property
    def cells(self) -> list[str]:
        """The cells of a table row; none of anything else."""
        return _cells(self.text) if self.header else []

    @property
    def titles(self) -> list[str]:
        """The names of the columns of a table row; none of anything else."""
        return _cells(self.header) if self.header else []

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
    """The passages that say something: headings only name it, and questions ask for it."""
    found = passages(source)
    return (one for one in found if not (one.is_heading or one.is_question or one.is_rule))


def stretches(source: Evidence) -> Iterator[Passage]:
    """Every two sentences in a row of one paragraph, as one passage; no list items or rows."""
    spans = sentences(source.text)
    for (start, end), (following, last) in pairwise(spans):
        first, second = source.text[start:end], source.text[following:last]
        if source.text[end:following].count("\n") < _BLANK_LINE and not (
            _LINE.match(first) or _LINE.match(second)
        ):
            passage = Passage(source.text[start:last], source.context)
            if not passage.is_heading and not passage.is_question:
                yield passage


def _name(text: str) -> str:
    """A cell for comparing: one case, one space between words, no full stop at the end."""
    return " ".join(text.split()).casefold().rstrip(".")


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


@dataclass(frozen=True, slots=True)
class Quotation:
    """Words of a source, and its mark.

    `fits`: they take up what is asked, not its subject alone, and have what it expects. `more` is
    what goes on in other sources. `is_whole`: they are a list or rows of a table, to be told as
    they are, since a part of them would say something else.
    """

    text: str
    mark: int
    fits: bool
    more: tuple[Quotation, ...] = ()
    is_whole: bool = False

    @classmethod
    def of(cls, passage: Passage, source: Evidence, question: str) -> Quotation:
        """The passage, quoted as the answer to `question`."""
        fits = passage.takes_up(question) and gives(question, passage.spoken)
        return cls(passage.spoken, source.mark, fits)


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
