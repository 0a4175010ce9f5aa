"""A sentence of the evidence, read once for all checks."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from skerry.guardrails.grounding.exact.bounds import Valued, valued
from skerry.guardrails.grounding.exact.clauses import labels, spoken_of
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import Time, times
from skerry.guardrails.grounding.exact.units import UNITS, Unit

_CELL = re.compile(r"(?:^|; )(?P<name>[^;:]{1,60}): (?P<cell>[^;]*)")
_UNIT_OF_COLUMN = re.compile(r"(?:\bin |[(]|^)(?P<unit>[^\W\d_]+|[%£$€])[)]?$")


@dataclass(frozen=True)
class Part:
    """A sentence of the passage; `stems` are its words and those of the headings above it."""

    text: str
    stems: frozenset[str]
    own: frozenset[str]
    times: tuple[Time, ...]
    amounts: tuple[Quantity, ...]

    @classmethod
    @lru_cache(maxsize=1_024)
    def of(cls, text: str, above: frozenset[str]) -> Part:
        own, clock = spoken_of(text), tuple(times(text))
        return cls(text, own | above, own, clock, tuple(_amounts(text, clock)))

    @cached_property
    def row(self) -> list[tuple[str, int, int]]:
        """The cells of a table row that is spoken; none of any other sentence."""
        return cells(self.text)

    @cached_property
    def labels(self) -> frozenset[int]:
        """Where the numbers begin that only name something."""
        return labels(self.text)

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where the amounts and times stand, in order."""
        spans = [(one.start, one.end) for one in self.amounts]
        return sorted([*spans, *((one.start, one.end) for one in self.times)])

    def ways(self, starts: Set[int]) -> list[Valued]:
        """Which way the values that begin at `starts` are meant."""
        places = [i for i, (start, _) in enumerate(self.spans) if start in starts]
        return [valued(self.text, self.spans, i) for i in places]


def cells(text: str) -> list[tuple[str, int, int]]:
    """The cells of a table row that is spoken, each as the name of its column, start and end."""
    found = [(one["name"].strip(), *one.span("cell")) for one in _CELL.finditer(text)]
    return found if len(found) > 1 else []


def amounts_in(text: str, clock: Sequence[Time]) -> list[Quantity]:
    """The quantities of a text; the figures of a time of day are none."""
    figures = {at for one in clock for at in range(one.start, one.end)}
    return [one for one in quantities(text) if one.start not in figures]


def _amounts(text: str, clock: Sequence[Time]) -> list[Quantity]:
    """A bare number in a table has the unit that its column is named after."""
    row = cells(text)
    return [
        replace(one, unit=_unit(row, one.start)) if one.unit is None else one
        for one in amounts_in(text, clock)
    ]


def _unit(row: Sequence[tuple[str, int, int]], at: int) -> Unit | None:
    named = (name for name, start, end in row if start <= at < end)
    found = _UNIT_OF_COLUMN.search(next(named, "").lower())
    return UNITS.get(found["unit"]) if found else None
