"""What goes into the next decode: pure arithmetic of continuous batching.

Running streams get one token each; waiting prompts share the room that is left, oldest first, and
no more of it than keeps the running streams moving.
"""

from __future__ import annotations

from collections.abc import Sequence

STALL_MS = 60.0
"""How long the prompts of others may hold up a running stream, per token of it."""

_SMALLEST_CHUNK = 8


def prefill_room(decoding: int, *, batch_tokens: int, ms_per_token: float) -> int:
    """Prompt tokens that the next decode may take, beside `decoding` streams.

    Without a running stream the whole batch; with one, as many as take STALL_MS by the measured
    `ms_per_token` of prefill.
    """
    room = batch_tokens - decoding
    if not decoding:
        return room
    return min(room, max(_SMALLEST_CHUNK, int(STALL_MS / max(ms_per_token, 1e-3))))


def share(room: int, waiting: Sequence[int]) -> list[int]:
    """How many tokens of each waiting prompt to take; the first ones finish first."""
    taken = []
    for tokens in waiting:
        taken.append(min(tokens, room))
        room -= taken[-1]
    return taken


def next_group(groups: Sequence[str], current: str) -> str:
    """The adapter whose requests decode next: one decode has one adapter, so they take turns."""
    if current not in groups:
        return groups[0]
    return groups[(groups.index(current) + 1) % len(groups)]
