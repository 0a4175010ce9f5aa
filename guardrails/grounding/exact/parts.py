"""A sentence of the evidence, read once for all checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import Time, times


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of the passage; `stems` are its words and those of the headings above it."""

    text: str
    stems: frozenset[str]
    own: frozenset[str]
    times: tuple[Time, ...]
    amounts: tuple[Quantity, ...]

    @classmethod
    def of(cls, text: str, own: frozenset[str], above: frozenset[str]) -> Part:
        clock = tuple(times(text))
        return cls(text, own | above, own, clock, tuple(_amounts(text, clock)))


def _amounts(text: str, clock: Sequence[Time]) -> list[Quantity]:
    """The quantities of a sentence of the passage; the figures of a time of day are none."""
    figures = {at for one in clock for at in range(one.start, one.end)}
    return [one for one in quantities(text) if one.start not in figures]
