"""Sections that are quoted whole: under the heading asked for, or around an answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from skerry.edge.going_on import may_go_on
from skerry.edge.people import people_wanted
from skerry.edge.smalltalk import without_opening
from skerry.edge.wholes import MOST_LINES, Whole, is_row
from skerry.guardrails.answer import Evidence
from skerry.guardrails.expected import asks_price
from skerry.guardrails.lists import is_item
from skerry.guardrails.passages import Quotation
from skerry.guardrails.sentences import sentences
from skerry.guardrails.tables import tables
from skerry.guardrails.topics import topic_of
from skerry.guardrails.wanted import wanted
from skerry.guardrails.words import content_stems, denies, numbers

_MOST_CHARACTERS = 1_200
_QUESTION_WORDS = frozenset("what which who whom whose where when how why".split())


def may_be_whole(question: str, sources: Sequence[Evidence]) -> bool:
    """Whether there may be something to quote whole; cheap, and never wrong in saying no."""
    said = without_opening(question)
    if topic_of(said) or any(_asks_alike(said, _heading(one)) for one in sources):
        return True
    lines = (line for one in sources for line in one.text.splitlines())
    wants = wanted(question) is not None or people_wanted(said) is not None
    if (wants or asks_price(question)) and any(is_item(line) or is_row(line) for line in lines):
        return True
    return may_go_on(question, sources)


def whole_on(question: str, sources: Sequence[Evidence]) -> Whole | None:
    """The section to quote where all is wanted on what its heading names; None if none is.

    The heading that says least else is meant. Where it has sections under it, they are quoted. What
    is too long for a quotation is quoted from its beginning, with a warning.
    """
    fitting = [one for one in sources if _is_headed(question, _heading(one))]
    if fitting:
        return section(min(fitting, key=lambda one: _strangeness(question, _heading(one))))
    topic = topic_of(question) if not numbers(question) else frozenset()
    above = [(one, line) for one in sources for line in _above(one) if _is_of(topic, line)]
    if not above:
        return None
    first, heading = min(above, key=lambda one: _strangeness(question, one[1]))
    under = {one.mark: one for one, line in above if line == heading}
    return _together([one for one in under.values() if one.document == first.document])


def section(source: Evidence) -> Whole | None:
    """What a source has under its heading, or the beginning of it; None if it is nothing."""
    lines = [line for line in _spoken(source) if line.strip() not in source.context.split("\n")]
    told = "\n".join(lines[:MOST_LINES]).strip()
    fits = len(lines) <= MOST_LINES and len(told) <= _MOST_CHARACTERS
    told = _beginning(told)
    if not told:
        return None
    return Whole(Quotation(told, source.mark, fits, is_whole=True), ((source.text, source.mark),))


def _together(sources: Sequence[Evidence]) -> Whole | None:
    """The sections, each below its heading, as many whole ones as there is room for."""
    parts, lines, room = list[Quotation](), list[tuple[str, int]](), _MOST_CHARACTERS
    for one in sources:
        found = section(one)
        if found is None:
            continue
        text = f"{_heading(one)}:\n{found.quotation.text}"
        if parts and (len(text) > room or not found.quotation.fits):
            continue
        room -= len(text)
        parts.append(replace(found.quotation, text=text))
        lines += found.lines
    if not parts:
        return None
    return Whole(replace(parts[0], more=tuple(parts[1:])), tuple(lines))


def _spoken(source: Evidence) -> Iterator[str]:
    """Its lines; the rows of a table have the name of each column before its cell."""
    rows = {row.text: row.spoken for one in tables([source]) for row in one.rows}
    for line in source.text.splitlines():
        if not is_row(line):
            yield line
        elif line.strip() in rows:
            yield f"- {rows[line.strip()]}"


def _is_headed(question: str, heading: str) -> bool:
    """Whether the heading names the topic that all is wanted on, or asks as the question does."""
    if not numbers(question) <= numbers(heading):
        return False
    topic = topic_of(question)
    return _is_of(topic, heading) if topic else _asks_alike(question, heading)


def _is_of(topic: frozenset[str], heading: str) -> bool:
    return bool(topic) and topic <= content_stems(heading)


def _strangeness(question: str, heading: str) -> tuple[int, bool]:
    """How many other words the heading has; and whether it has the topic in another form."""
    topic = topic_of(question) or content_stems(question)
    words = {word.lower() for word in heading.split()}
    inflected = not any(word.strip("?!.").lower() in words for word in question.split())
    return len(content_stems(heading) - topic), inflected


def _asks_alike(question: str, heading: str) -> bool:
    """Whether they have the same words, but for very common ones: "What is forbidden"."""
    stems = content_stems(heading)
    alike = stems == content_stems(question) and denies(heading) == denies(question)
    return bool(stems) and alike and _asks(heading)


def _asks(heading: str) -> bool:
    return heading.split(maxsplit=1)[0].lower() in _QUESTION_WORDS


def _heading(source: Evidence) -> str:
    """What it is under: the nearest heading, or the title of a document that has none."""
    return source.context.rstrip("\n").rpartition("\n")[2]


def _above(source: Evidence) -> list[str]:
    """The headings above the nearest, and the title."""
    return source.context.rstrip("\n").split("\n")[:-1]


def _beginning(text: str) -> str:
    """The sentences at the beginning that are short enough together."""
    ends = [end for _, end in sentences(text) if end <= _MOST_CHARACTERS]
    return text[: ends[-1]] if ends else ""
