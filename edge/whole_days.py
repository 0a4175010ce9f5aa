"""What is quoted whole of several days: the rows or lines that have each of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.edge.daily import Days
from skerry.edge.wholes import Whole
from skerry.guardrails.answer import Evidence
from skerry.guardrails.passages import Passage, Quotation, quotable
from skerry.guardrails.weekdays import days_told

_BEGINNING = 30  # characters


def whole_of_days(
    days: Days, passage: Passage, mark: int, sources: Sequence[Evidence]
) -> Whole | None:
    """The rows, items or sentences that have the days asked about, if a passage near the question
    has some of several, and all that begin with one have the rest; else None.

    Args:
        days: those asked about.
        passage: a passage near the question, in the source `mark`.
        sources: all that may be quoted.
    """
    if not 0 < days.share(passage) < 1 or not _begins_with_days(passage):
        return None
    found = list(_beside(days, passage, mark, sources))
    told = frozenset().union(*(days_told(one.spoken) for one in found))
    if not days.asked <= told:
        return None
    bullet = "- " if len(found) > 1 else ""
    text = "\n".join(f"{bullet}{one.spoken}" for one in found)
    lines = tuple((one.text, mark) for one in found)
    return Whole(Quotation(text, mark, fits=True, is_whole=True), lines)


def _beside(
    days: Days, passage: Passage, mark: int, sources: Sequence[Evidence]
) -> Iterator[Passage]:
    """What has a day asked about in the same source, in the same table where it is a row."""
    for source in sources:
        if source.mark == mark:
            for one in quotable(source):
                if one.header == passage.header and _begins_with_days(one) and days.share(one):
                    yield one


def _begins_with_days(passage: Passage) -> bool:
    begins = passage.cells[0] if passage.header else passage.spoken[:_BEGINNING]
    return bool(days_told(begins))
