"""Which of a teacher's layers a student begins with, and what each is to learn. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Student layer `i` begins as the teacher's layer `copied[i]`, and is to do the work of all
    layers up to `ends[i]`."""

    copied: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def taps(self) -> tuple[int, ...]:
        """The teacher's layers whose results the student's layers from the second on learn to
        reach."""
        return self.ends[1:]


def plan(layers: int, kept: int) -> Plan:
    """Keeps the first two layers and the last one as they are, and shares out those between.

    Raises:
        ValueError: fewer than four are kept, or not fewer than there are.
    """
    if not 4 <= kept < layers:
        raise ValueError(f"of {layers} layers 4 to {layers - 1} can be kept, not {kept}")
    spans, first, left = [(0, 0), (1, 1)], 2, layers - 3
    for parts in range(kept - 3, 0, -1):
        size = round(left / parts)
        spans.append((first, first + size - 1))
        first, left = first + size, left - size
    spans.append((layers - 1, layers - 1))
    return Plan(tuple((a + b) // 2 for a, b in spans), tuple(b for _, b in spans))
