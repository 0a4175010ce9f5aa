"""What drafts on the device: the Protocol, and those that are tried in order of cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Drafter(Protocol):
    """Guesses how a sequence goes on. Used by one thread."""

    def draft(self, sequence: Sequence[int], most: int) -> list[int]:
        """At most `most` tokens that may follow the sequence; none where it has no idea.

        The sequence may have lost its end since the last call.
        """
        ...

    def close(self) -> None:
        """May be called twice."""
        ...


class Cascade:
    """Asks its drafters in turn; the first one that has an idea is heard."""

    def __init__(self, drafters: Sequence[Drafter]) -> None:
        self._drafters = tuple(drafters)

    def draft(self, sequence: Sequence[int], most: int) -> list[int]:
        drafts = (one.draft(sequence, most) for one in self._drafters)
        return next((one for one in drafts if one), [])

    def close(self) -> None:
        for one in self._drafters:
            one.close()
