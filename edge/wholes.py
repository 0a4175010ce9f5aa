"""What is quoted whole: the steps of a list, the rows of a table that a question asks about. Pure.

A part of either would pass for all of it: the cheapest of the rows that happened to be found, the
first step of five. What is not known to be whole is quoted with a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from skerry.edge.followup import Asked
from skerry.edge.people import people_wanted, present
from skerry.edge.types import Classification, RequestClass, known_by_rules
from skerry.guardrails.answer import Evidence
from skerry.guardrails.lists import Listing, is_item, listings
from skerry.guardrails.passages import Passage, Quotation
from skerry.guardrails.rows import choose
from skerry.guardrails.tables import Table, tables
from skerry.guardrails.wanted import ASKING, Kind, Wanted, wanted
from skerry.guardrails.words import content_stems, denies

MOST_LINES = 24
_STEPS = content_stems("steps step rules points items things instructions stages tasks")
COMPARISONS = "comparisons"
"""What a classification says that knew a comparison by rules."""

Beside = Callable[[int], tuple[str, str]]
"""By the mark of a source: what its document has just before it and just after it."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What is quoted whole: its lines as their sources have them, each with its mark."""

    quotation: Quotation
    lines: tuple[tuple[str, int], ...]

    def has(self, passage: str, mark: int) -> bool:
        """Whether a passage of the source `mark` is a part of it."""
        return any(at == mark and passage in line for line, at in self.lines)


def compared(seen: Classification, asked: Asked) -> Classification:
    """The router's opinion, unless it takes a comparison for nothing that is answered here: the
    documents may have what is compared, and where they have not, they do not say."""
    want = wanted(asked.wanting)
    if seen.request_class is not RequestClass.UNSUPPORTED or not want:
        return seen
    if want.kind is not Kind.COMPARISON:
        return seen
    return known_by_rules(seen, RequestClass.QUESTION, COMPARISONS)


def whole_of_people(asked: Asked, sources: Sequence[Evidence], beside: Beside) -> Whole | None:
    """The people that are asked for as such, or those of a day; None if that is not what is asked,
    or no table tells it."""
    want = people_wanted(asked.matter)
    found = present(want, sources) if want else None
    return shown(found.table, found.rows, sources, beside, sure=found.sure) if found else None


def whole_around(
    asked: Asked, passage: Passage, mark: int, sources: Sequence[Evidence], beside: Beside
) -> Whole | None:
    """The list or the rows to quote in place of a passage that is near the question.

    None where the question wants one passage, or the passage is in neither list nor table.

    Args:
        asked: the question.
        passage: a passage near it, in the source `mark`.
        sources: all that may be quoted.
        beside: tells whether a list or a table goes on beyond a source.
    """
    want, question = wanted(asked.wanting), asked.text
    if passage.header:
        found = next((one for one in tables(sources) if _has_row(one, passage, mark)), None)
        if not want or not found:
            return None
        table = _telling_the_end(question, want, sources) or found
        return _of_rows(question, want, table, sources, beside)
    if want and (named := _named_by_a_column(want, sources)):
        return _of_rows(question, want, named, sources, beside)
    for listing in listings(sources):
        if _denies_otherwise(question, listing):
            continue
        if any(at == mark for _, at in listing.lines) and listing.has(passage.text):
            return (
                of_list(listing, sources, beside)
                if _wants(question, want, listing, passage)
                else None
            )
    return None


def _wants(question: str, want: Wanted | None, listing: Listing, passage: Passage) -> bool:
    """Whether the list answers: its introduction does, or such a list is wanted.

    Steps are none of the things that are listed, counted or compared.
    """
    if want and want.kind is not Kind.STEPS and listing.is_numbered and not want.noun & _STEPS:
        return False
    if listing.is_introduced_by(passage.text):
        return True
    if want is None or want.kind is not Kind.LIST:
        steps = want is not None and want.kind is Kind.STEPS and listing.is_numbered
        return steps and not _is_one_step(question, listing)
    return want.noun <= content_stems(f"{listing.about}\n{listing.intro}")


def _is_one_step(question: str, listing: Listing) -> bool:
    """Whether all that is asked about is done in one of the steps, which are of something else."""
    own = content_stems(question) - ASKING
    if not own or own & content_stems(f"{listing.about}\n{listing.intro}"):
        return False
    return any(own <= content_stems(line) for line, _ in listing.lines)


def _denies_otherwise(question: str, listing: Listing) -> bool:
    """Whether it is of what is not, and the question of what is: "What is not included"."""
    heading = listing.about.rstrip("\n").rpartition("\n")[2]
    return denies(f"{heading}\n{listing.intro}") and not denies(question)


def _named_by_a_column(want: Wanted, sources: Sequence[Evidence]) -> Table | None:
    """The table whose rows are what is listed or counted, by the name of its first column."""
    if want.kind not in (Kind.LIST, Kind.COUNT) or not want.noun:
        return None
    fitting = (one for one in tables(sources) if want.noun == content_stems(one.columns[0]))
    return next(fitting, None)


def _telling_the_end(question: str, want: Wanted, sources: Sequence[Evidence]) -> Table | None:
    """The one table that tells an extreme, if it is one."""
    if want.kind is not Kind.EXTREME:
        return None
    told = ((one, choose(question, want, one)) for one in tables(sources))
    sure = [one for one, chosen in told if chosen is not None and chosen.sure]
    return sure[0] if len(sure) == 1 else None


def _has_row(table: Table, passage: Passage, mark: int) -> bool:
    return (passage, mark) in set(zip(table.rows, table.marks, strict=True))


def _of_rows(
    question: str, want: Wanted, table: Table, sources: Sequence[Evidence], beside: Beside
) -> Whole | None:
    chosen = choose(question, want, table)
    if chosen is None:
        return None
    sure = chosen.sure and not _may_go_on_elsewhere(question, want, table, sources)
    return shown(table, chosen.rows, sources, beside, sure=sure)


def shown(
    table: Table, rows: Sequence[int], sources: Sequence[Evidence], beside: Beside, *, sure: bool
) -> Whole:
    """Rows of a table to be quoted; with a warning where they may not be all."""
    shown = table.of(rows[:MOST_LINES])
    known = {row.text for row in table.rows} | {table.header}
    cited = [one for one in sources if one.mark in table.marks]
    whole = all(_ends_here(one, beside, known, is_row) for one in cited)
    fits = sure and whole and len(rows) <= MOST_LINES
    bullet = "- " if len(shown.rows) > 1 else ""
    lines = [
        (f"{bullet}{row.spoken}", mark) for row, mark in zip(shown.rows, shown.marks, strict=True)
    ]
    found = zip((row.text for row in shown.rows), shown.marks, strict=True)
    return Whole(_quoted(lines, fits=fits), tuple(found))


def _may_go_on_elsewhere(
    question: str, want: Wanted, table: Table, sources: Sequence[Evidence]
) -> bool:
    """Whether another table has such rows as well, or other ones for an end."""
    if want.kind not in (Kind.LIST, Kind.COUNT, Kind.EXTREME):
        return False
    others = [one for one in tables(sources) if one.rows != table.rows]
    found = (choose(question, want, one) for one in others)
    return any(one is not None and one.sure for one in found)


def of_list(listing: Listing, sources: Sequence[Evidence], beside: Beside) -> Whole:
    """A list with its introduction; with a warning where it may not be all."""
    known = {line.strip() for line, _ in listing.lines}
    marks = {mark for _, mark in listing.lines}
    ends = (_ends_here(one, beside, known, is_item) for one in sources if one.mark in marks)
    whole = listing.first <= 1 and all(ends)
    lines = [*listing.lines[:MOST_LINES]]
    fits = whole and len(listing.lines) <= MOST_LINES
    if listing.intro:
        lines.insert(0, (listing.intro, lines[0][1]))
    return Whole(_quoted(lines, fits=fits), tuple(lines))


def _ends_here(
    source: Evidence, beside: Beside, known: set[str], belongs: Callable[[str], bool]
) -> bool:
    """Whether what has the lines `known` does not go on beyond the edges of a source."""
    own = source.text.strip().splitlines()
    before, after = (text.strip().splitlines() for text in beside(source.mark))
    edges = [*(before[-1:] if own[0].strip() in known else ())]
    edges += after[:1] if own[-1].strip() in known else ()
    return not any(belongs(line) and line.strip() not in known for line in edges)


def is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


def _quoted(lines: Sequence[tuple[str, int]], *, fits: bool) -> Quotation:
    """The lines as a quotation, those of each source under its mark."""
    parts = [
        ("\n".join(line for line, _ in group), mark)
        for mark, group in groupby(lines, key=lambda one: one[1])
    ]
    more = tuple(Quotation(text, mark, fits) for text, mark in parts[1:])
    return Quotation(*parts[0], fits, more=more, is_whole=True)
