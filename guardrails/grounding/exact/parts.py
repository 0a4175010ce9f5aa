"""A sentence of the evidence, read once for all checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import Time, times
from skerry.guardrails.words import content_stems

_WORD = re.compile(r"[^\W\d_]+")
_REACH = 60  # characters on either side in which words beside a number are looked for
_BESIDE = 2  # content words on either side


@dataclass(frozen=True, slots=True)
class Beside:
    """The stems of the content words just before and just after a number."""

    before: frozenset[str]
    after: frozenset[str]

    @classmethod
    def of(cls, text: str, one: Quantity) -> Beside:
        head = _WORD.findall(text[max(0, one.start - _REACH) : one.start])
        tail = _WORD.findall(text[one.end : one.end + _REACH])
        return cls(_first_stems(reversed(head)), _first_stems(tail))

    def fits(self, told: Beside, *, loose: bool) -> bool:
        """Whether a number with these words may be the one that is `told`.

        The words must be on the same side, unless one side is empty or `loose` (a table row).
        """
        mine = self.before | self.after
        if not mine or self.before & told.before or self.after & told.after:
            return True
        anywhere = loose or not self.before or not self.after
        return anywhere and bool(mine & (told.before | told.after))


def _first_stems(words: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for word in words:
        found |= content_stems(word)
        if len(found) == _BESIDE:
            break
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of the passage; `stems` are its words and those of the headings above it."""

    text: str
    stems: frozenset[str]
    own: frozenset[str]
    times: tuple[Time, ...]
    amounts: tuple[Quantity, ...]
    beside: tuple[Beside, ...]
    """For each amount, the words beside it."""

    @classmethod
    def of(cls, text: str, own: frozenset[str], above: frozenset[str]) -> Part:
        clock = tuple(times(text))
        amounts = tuple(_amounts(text, clock))
        beside = tuple(Beside.of(text, one) for one in amounts)
        return cls(text, own | above, own, clock, amounts, beside)

    @property
    def is_row(self) -> bool:
        """Whether it is a table row, spoken: "Who: nurse; Extension: 214."."""
        return ": " in self.text and "; " in self.text


def _amounts(text: str, clock: Sequence[Time]) -> list[Quantity]:
    """The quantities of a sentence of the passage; the figures of a time of day are none."""
    figures = {at for one in clock for at in range(one.start, one.end)}
    return [one for one in quantities(text) if one.start not in figures]
