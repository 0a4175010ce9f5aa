"""Decides which loaded models to unload. Pure: plain data in, keys out; times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """One model in memory. One that is being loaded or unloaded counts as leased."""

    key: str
    leased: bool
    last_used_s: float


def to_make_room(held: Sequence[Held], max_loaded: int) -> list[str] | None:
    """Whom to unload so that one more fits: the least recently used. None when leases forbid."""
    surplus = max(len(held) + 1 - max_loaded, 0)
    free = sorted((one for one in held if not one.leased), key=lambda one: one.last_used_s)
    return [one.key for one in free[:surplus]] if surplus <= len(free) else None


def idle(held: Sequence[Held], *, now_s: float, idle_unload_s: float) -> list[str]:
    """Whom to unload because nobody has used it for `idle_unload_s`."""
    return [one.key for one in held if not one.leased and now_s - one.last_used_s >= idle_unload_s]


def next_look_s(held: Sequence[Held], *, now_s: float, idle_unload_s: float) -> float | None:
    """Seconds until the next model has been idle for long enough; None while all are leased."""
    due = [one.last_used_s + idle_unload_s - now_s for one in held if not one.leased]
    return max(min(due), 0.0) if due else None
