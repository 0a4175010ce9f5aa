"""Which KV cache a generation runs on: a fixed number of slots, each with one cache kept for reuse.

Choosing is a pure function of what the slots hold; the lease around it waits its turn. What a
cache is made of is left to `model.py`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from skerry.edge.engines.genai.model import KvCache

_POLL_S = 0.05


@dataclass(slots=True, eq=False)
class Slot:
    """`kept` survives its generation, `guest` does not; `session` is the conversation in `kept`."""

    kept: KvCache | None = None
    guest: KvCache | None = None
    session: str | None = None
    used: int = 0
    busy: bool = False

    def leave(self) -> None:
        """Frees the guest."""
        if self.guest is not None:
            self.guest.close()
        self.guest = None

    def drop(self) -> None:
        """Frees both caches."""
        self.leave()
        if self.kept is not None:
            self.kept.close()
        self.kept = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a generation would reuse: the prompt's ids, its session and its adapter."""

    ids: Sequence[int]
    session: str | None = None
    adapter: str | None = None


def choose(slots: Sequence[Slot], wanted: Wanted) -> Slot | None:
    """The free slot to run on: that of the session, else one with a prefix in common that no
    session owns, else an empty one, else the one unused for longest. None when all are busy."""
    free = [slot for slot in slots if not slot.busy]
    return max(free, key=lambda slot: _rank(slot, wanted), default=None)


def _rank(slot: Slot, wanted: Wanted) -> tuple[bool, int, bool, int]:
    mine = slot.session is not None and slot.session == wanted.session
    owned = slot.session is not None and not mine
    shared = 0 if owned or slot.kept is None else slot.kept.shared(wanted.ids, wanted.adapter)
    return mine, shared, slot.kept is None, -slot.used


@dataclass(eq=False)
class Slots:
    """`count` generations at once; further ones wait in `lease`. Thread-safe."""

    count: int
    _slots: list[Slot] = field(init=False)
    _turn: threading.Condition = field(init=False, default_factory=threading.Condition)
    _clock: Iterator[int] = field(init=False, default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self._slots = [Slot() for _ in range(self.count)]

    @contextmanager
    def lease(self, wanted: Wanted, stopped: Callable[[], bool]) -> Iterator[Slot | None]:
        """A slot of one's own; None when `stopped` became true while waiting for one."""
        slot = self._take(wanted, stopped)
        try:
            yield slot
        finally:
            if slot is not None:
                self._give_back(slot, wanted.session)

    def clear(self) -> None:
        """Frees every cache; a generation that still runs on one ends at its next step."""
        for slot in self._slots:
            slot.drop()

    def _take(self, wanted: Wanted, stopped: Callable[[], bool]) -> Slot | None:
        with self._turn:
            while not stopped():
                if (slot := choose(self._slots, wanted)) is not None:
                    slot.busy = True
                    return slot
                self._turn.wait(_POLL_S)
        return None

    def _give_back(self, slot: Slot, session: str | None) -> None:
        with self._turn:
            slot.busy = False
            slot.session = session
            slot.used = next(self._clock)
            self._turn.notify()
