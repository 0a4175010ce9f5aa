"""What drafts on the device: the Protocol, and those that are tried in order of cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Guess:
    """A token, the odds that it is right (0 to 1), and what else may stand in its place."""

    token: int
    odds: float
    instead: int | None = None


class Drafter(Protocol):
    """Guesses how a sequence goes on. Used by one thread."""

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess] | None:
        """At most `most` guesses of what follows the sequence; none where it has no idea.

        The sequence may have lost its end since the last call. None: it is still reading the
        sequence, and should be asked again.
        """
        ...

    def read(self, sequence: Sequence[int]) -> bool:
        """Reads a part of a sequence before it is to be drafted on; whether there is more."""
        ...

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        """`token` after a part of the sequence that was drafted on, and what may follow it: at
        most `most` tokens."""
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


_SURELY = 0.7
"""Odds from which nobody else is asked."""


class Cascade:
    """Asks its drafters in turn until one is fairly sure; of those that were asked, the surest one
    is heard."""

    def __init__(self, drafters: Sequence[Drafter]) -> None:
        self._drafters = tuple(drafters)

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess] | None:
        best, reading = list[Guess](), False
        for one in self._drafters:
            guesses = one.draft(sequence, most)
            reading = reading or guesses is None
            if guesses and (not best or guesses[0].odds > best[0].odds):
                best = guesses
            if best and best[0].odds >= _SURELY:
                break
        return best or (None if reading else [])

    def read(self, sequence: Sequence[int]) -> bool:
        more = [one.read(sequence) for one in self._drafters]
        return any(more)

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        branches = (one.branch(sequence, token, most) for one in self._drafters)
        return next((one for one in branches if len(one) > 1), [token])

    def close(self) -> None:
        for one in self._drafters:
            one.close()
