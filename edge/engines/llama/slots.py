"""Which sequence a request gets, and how much of its KV cache is reused. Pure, no I/O.

The choice with the least cost in tokens wins: tokens to prefill, a fixed price for
copying another sequence's prefix, and a share of the cached tokens that would be lost to others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from skerry.bundles.llama.tokens import TokenArray

COPY_COST_TOKENS = 32
"""What copying a sequence's cache costs, in tokens of prefill (a copy moves all its memory)."""


@dataclass(frozen=True, slots=True)
class SlotView:
    """One sequence: the tokens in its cache, whose they are, and how long it has been idle.

    `idle` counts the requests admitted since it was last used.
    """

    index: int
    tokens: TokenArray
    busy: bool = False
    session: str | None = None
    adapter: str | None = None
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Use sequence `slot` and keep `reused` tokens: its own, or those of `copy_from`."""

    slot: int
    reused: int
    copy_from: int | None = None


def choose_slot(
    prompt: TokenArray, slots: Sequence[SlotView], *, session: str | None, adapter: str | None
) -> Choice | None:
    """The free slot for a request; None when all are busy.

    At least one token of the prompt is left to decode, since its logits are needed. KV made with
    another adapter is never reused.
    """
    reusable = {
        slot.index: min(common_prefix(prompt, slot.tokens), len(prompt) - 1)
        for slot in slots
        if slot.adapter == adapter
    }
    options = [
        (_cost(choice, slot, len(prompt), session), -slot.idle, choice.slot, choice)
        for slot in slots
        if not slot.busy
        for choice in _choices(slot.index, reusable)
    ]
    return min(options, key=lambda option: option[:3])[3] if options else None


def _choices(slot: int, reusable: dict[int, int]) -> Iterator[Choice]:
    yield Choice(slot, reusable.get(slot, 0))
    for other, count in reusable.items():
        if other != slot and count:
            yield Choice(slot, count, copy_from=other)


def _cost(choice: Choice, slot: SlotView, prompt_tokens: int, session: str | None) -> float:
    copying = COPY_COST_TOKENS if choice.copy_from is not None else 0
    return prompt_tokens - choice.reused + copying + _loss(choice, slot, session)


def _loss(choice: Choice, slot: SlotView, session: str | None) -> float:
    """Cached tokens that others lose, times the chance that they come back for them.

    The chance is one half for the slot used last, and halves with every request since then.
    """
    own = session is not None and slot.session == session
    kept = choice.reused if choice.copy_from is None else 0
    return 0.0 if own else (len(slot.tokens) - kept) * 0.5 ** (1 + slot.idle)


def common_prefix(one: TokenArray, two: TokenArray) -> int:
    """Number of equal tokens at the start."""
    size = min(len(one), len(two))
    if not size:
        return 0
    differ = np.frombuffer(one, np.int32, size) != np.frombuffer(two, np.int32, size)
    first = int(differ.argmax())
    return first if differ[first] else size
