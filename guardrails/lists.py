"""The lists of a source: steps and bullets with what introduces them, to be quoted whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from skerry.guardrails.answer import Evidence
from skerry.guardrails.sentences import sentences

_ITEM = re.compile(r"\s{0,12}(?:[-*•‣◦+]|(?P<number>\d{1,3})[.)])\s")
_STRUCTURE = re.compile(r"\s*[|#>]")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list: `lines` as the source has them, each with its mark.

    `intro` is the sentence before it that ends with a colon. `first` and `last` are the numbers of
    its outer items, 0 in a list without numbers.
    """

    lines: tuple[tuple[str, int], ...]
    intro: str
    first: int
    last: int
    about: str
    document: str

    @property
    def is_numbered(self) -> bool:
        return self.last > 0

    @property
    def items(self) -> int:
        return sum(is_item(line) for line, _ in self.lines)

    def has(self, passage: str) -> bool:
        """Whether a passage of the source is a part of it, or introduces it."""
        text = "\n".join(line for line, _ in self.lines)
        return passage in text or self.is_introduced_by(passage)

    def is_introduced_by(self, passage: str) -> bool:
        return bool(self.intro) and passage.endswith(self.intro)


def listings(sources: Sequence[Evidence]) -> Iterator[Listing]:
    """The lists of the sources, of two items or more.

    Steps that go on in another source of the same document, under the same headings, are one list.
    """
    found = [one for source in sources for one in _of(source)]
    for one in found:
        if any(_goes_on(other, one) for other in found):
            continue
        whole = one
        while following := next((other for other in found if _goes_on(whole, other)), None):
            whole = replace(whole, lines=(*whole.lines, *following.lines), last=following.last)
        if whole.items > 1:
            yield whole


def _goes_on(one: Listing, other: Listing) -> bool:
    """Whether the other begins where the one ends, in another part of the document."""
    same = one.document == other.document and one.about == other.about
    apart = one.lines[-1][1] != other.lines[0][1]
    return bool(one.document) and same and apart and 0 < one.last == other.first - 1


def is_item(line: str) -> bool:
    return _ITEM.match(line) is not None


def _of(source: Evidence) -> Iterator[Listing]:
    before, lines = "", list[str]()
    for line in [*source.text.splitlines(), "|"]:
        if is_item(line) or (lines and lines[-1].strip() and _continues(line)):
            lines.append(line.rstrip())
        elif lines and not line.strip():
            lines.append("")
        else:
            if lines:
                yield _listing(lines, before, source)
                lines = []
            before = line if line.strip() else before


def _continues(line: str) -> bool:
    return bool(line.strip()) and not _STRUCTURE.match(line)


def _listing(lines: Sequence[str], before: str, source: Evidence) -> Listing:
    kept = tuple((line, source.mark) for line in lines if line)
    numbers = list(_outer_numbers(lines))
    numbered = all(numbers)
    return Listing(
        kept,
        _intro(before),
        numbers[0] if numbered else 0,
        numbers[-1] if numbered else 0,
        source.context,
        source.document,
    )


def _outer_numbers(lines: Sequence[str]) -> Iterator[int]:
    """The numbers of the items that are in no other one; 0 for a bullet."""
    indent = len(lines[0]) - len(lines[0].lstrip())
    for line in lines:
        if (found := _ITEM.match(line)) and len(line) - len(line.lstrip()) <= indent:
            yield int(found["number"] or 0)


def _intro(line: str) -> str:
    """The last sentence of a line, where it announces what follows."""
    spans = sentences(line)
    last = line[slice(*spans[-1])] if spans else ""
    return last if last.endswith(":") else ""
