"""Which of a teacher's layers a student begins with, and what each is to learn. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Student layer `i` begins as the teacher's layer `copied[i]`; its layer `reached[k]` is to
    make what the teacher's layer `taps[k]` makes."""

    copied: tuple[int, ...]
    reached: tuple[int, ...]
    taps: tuple[int, ...]


_MOST_TAPS = 7


def plan(layers: int, kept: int) -> Plan:
    """Keeps the first two layers and the last one as they are, and shares out those between.

    Of more than eight layers, several in a row learn together: the teacher's states are kept for
    seven layers at most.

    Raises:
        ValueError: fewer than four are kept, or not fewer than there are.
    """
    if not 4 <= kept < layers:
        raise ValueError(f"of {layers} layers 4 to {layers - 1} can be kept, not {kept}")
    between = _shared_out(range(2, layers - 1), min(kept - 3, _MOST_TAPS - 2))
    sizes = [len(one) for one in _shared_out(range(kept - 3), len(between))]
    spans = [[range(1)], [range(1, 2)]]
    spans += [_shared_out(span, size) for span, size in zip(between, sizes, strict=True)]
    spans.append([range(layers - 1, layers)])
    parts = [part for span in spans for part in span]
    ends = [parts.index(span[-1]) for span in spans[1:]]
    return Plan(
        tuple((part[0] + part[-1]) // 2 for part in parts),
        tuple(ends),
        tuple(parts[end][-1] for end in ends),
    )


def _shared_out(layers: range, parts: int) -> list[range]:
    """Layers in `parts` runs of about equal length."""
    runs, first = [], layers.start
    for left in range(parts, 0, -1):
        size = round((layers.stop - first) / left)
        runs.append(range(first, first + size))
        first += size
    return runs
