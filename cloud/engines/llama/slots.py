"""Sequences of a context, what each one holds, and which one a request gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from skerry.cloud.hints.prefix import common


@dataclass(slots=True, eq=False)
class Slot:
    """A sequence: `tokens` are in its memory, or more than these if it is `long`.

    `used` says when it was taken last.
    """

    sequence: int
    tokens: list[int] = field(default_factory=list)
    busy: bool = False
    used: int = 0
    long: bool = False

    def forget(self, start: int) -> None:
        """Forgets its tokens from `start` on; the memory is cut by the thread that owns it."""
        del self.tokens[start:]
        self.long = True


def take(slots: Sequence[Slot], tokens: Sequence[int]) -> tuple[Slot, int] | None:
    """The free slot that holds most of the beginning of `tokens`, and how many; of equal ones the
    one that was used longest ago. None: all are busy.

    The last token is never counted: its logits are wanted.
    """
    free = [slot for slot in slots if not slot.busy]
    if not free:
        return None
    held = {slot.sequence: min(common(slot.tokens, tokens), len(tokens) - 1) for slot in free}
    slot = max(free, key=lambda one: (held[one.sequence], -one.used))
    return slot, held[slot.sequence]
