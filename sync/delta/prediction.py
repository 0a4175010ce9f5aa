"""What the new code of a weight will be, from its old code and both scales.

A weight that stays has the code x = (q * old scale + old offset - new offset) / new scale in the
new block. The prediction is the nearest code to x, and the context of what it really is: how far x
is from that code, and on which side; whether the old code is the first or last one; and how large
the change of the weights is, beside the new scale. All of it is the same for every weight of a
sub-block that has the same old code, so sub-blocks are sorted into rows of a table first. Only
additions, multiplications, divisions, roundings and comparisons are used, which are the same on
every processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.sync.delta.arrays import Bytes, Floats, Shorts

CLASSES = 19
"""Of one code: at the nearest code, or one of 8 distances on either side; old code first, last."""
LEVELS = 12
"""Of the change: the new scale is 2**0 to 2**11 times as large as the weights' mean change."""

_FINE_SIDE, _COARSE_SIDE = 146, 28
_FIRST, _LAST = 17, 18


@dataclass(frozen=True, slots=True)
class Rows:
    """`of` [sub-blocks]: the row of each. `shifts` [rows, codes]: how far in codes x is from q,
    as values of `levels`; `level` [rows]: of the change."""

    of: NDArray[np.intp]
    targets: NDArray[np.float64]
    level: NDArray[np.intp]


def change_levels(scale: Floats, change: Floats) -> NDArray[np.intp]:
    """Levels of the change, from the new scale of sub-blocks and their tensor's mean change."""
    ratio = np.abs(scale).astype(np.float32) / np.maximum(change, np.float32(1e-30))
    exponent = (ratio.astype(np.float32).view(np.uint32) >> 23).astype(np.intp) - 127
    return np.clip(exponent, 0, LEVELS - 1)


def rows_by_ratio(levels: Floats, ratio: Floats, level: NDArray[np.intp]) -> Rows:
    """Rows of sub-blocks whose weights have no offset. `ratio`: old scale over new."""
    reach = np.float32(np.abs(levels).max())
    place = _fine_bins((ratio - np.float32(1)) * reach)
    key = place * LEVELS + level
    used, of = _ranked(key, (2 * _FINE_SIDE + 1) * LEVELS)
    centres = _FINE_CENTRES[used // LEVELS] / float(reach)
    return Rows(of, levels.astype(np.float64)[None] * (1 + centres[:, None]), used % LEVELS)


def rows_by_ends(levels: Floats, first: Floats, last: Floats, level: NDArray[np.intp]) -> Rows:
    """Rows of sub-blocks with offsets. `first` and `last`: how far x is from q at the first and
    the last of the evenly spaced `levels`."""
    sides = 2 * _COARSE_SIDE + 1
    key = (_coarse_bins(first) * sides + _coarse_bins(last)) * LEVELS + level
    used, of = _ranked(key, sides * sides * LEVELS)
    ends = used // LEVELS
    at_first, at_last = _COARSE_CENTRES[ends // sides], _COARSE_CENTRES[ends % sides]
    along = np.linspace(0, 1, len(levels))
    shifts = at_first[:, None] * (1 - along) + at_last[:, None] * along
    return Rows(of, levels.astype(np.float64)[None] + shifts, used % LEVELS)


def _ranked(key: NDArray[np.intp], most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The keys that occur, and the rank of each among them."""
    used = np.bincount(key, minlength=most).nonzero()[0]
    rank = np.zeros(most, np.intp)
    rank[used] = np.arange(len(used))
    return used, rank[key]


def _fine_bins(shift: Floats) -> NDArray[np.intp]:
    """Two an octave from 2**-10 to 1/2, then 1/16 wide up to 8."""
    size = np.abs(_finite(shift)).astype(np.float32)
    octave = (size.view(np.uint32) >> 22).astype(np.intp) - ((127 - 10) << 1) + 1
    even = (np.minimum(size, np.float32(9)) * np.float32(16)).astype(np.intp) - 8 + 19
    place = np.where(size < np.float32(0.5), np.maximum(octave, 0), np.minimum(even, _FINE_SIDE))
    return _FINE_SIDE + np.where(shift < 0, -place, place)


def _coarse_bins(shift: Floats) -> NDArray[np.intp]:
    """One an octave from 2**-8 to 1/2, then 1/8 wide up to 3."""
    size = np.abs(_finite(shift)).astype(np.float32)
    octave = (size.view(np.uint32) >> 23).astype(np.intp) - (127 - 8) + 1
    even = (np.minimum(size, np.float32(4)) * np.float32(8)).astype(np.intp) - 4 + 8
    place = np.where(size < np.float32(0.5), np.maximum(octave, 0), np.minimum(even, _COARSE_SIDE))
    return _COARSE_SIDE + np.where(shift < 0, -place, place)


def _finite(shift: Floats) -> Floats:
    return np.where(np.isfinite(shift), shift, np.float32(1e9))


def _mirrored(side: list[float]) -> NDArray[np.float64]:
    return np.array([*(-one for one in side[:0:-1]), *side])


_FINE_CENTRES = _mirrored(
    [0.0]
    + [2.0 ** (-10 + one // 2) * (1.25 + 0.5 * (one % 2)) for one in range(18)]
    + [0.5 + (one + 0.5) / 16 for one in range(_FINE_SIDE - 18)]
)
_COARSE_CENTRES = _mirrored(
    [0.0]
    + [2.0 ** (-8 + one) * 1.5 for one in range(7)]
    + [0.5 + (one + 0.5) / 8 for one in range(_COARSE_SIDE - 7)]
)
_DISTANCES = 2.0 ** np.arange(-8, 0)
"""Edges of the distance classes, in parts of the way to the next code: 8 edges, the last at 1/2."""


def classes(levels: Floats, rows: Rows) -> tuple[Bytes, Shorts]:
    """For each row and old code: the code that is predicted, and the class, [rows, codes] both."""
    steps = levels.astype(np.float64)
    between = (steps[1:] + steps[:-1]) / 2
    code = np.searchsorted(between, rows.targets).astype(np.intp)
    signed = distance_classes(steps, rows.targets, code).astype(np.intp)
    signed[:, 0] = _FIRST
    signed[:, -1] = _LAST
    return code.astype(np.uint8), signed.astype(np.uint16)


def distance_classes(
    levels: NDArray[np.floating], target: NDArray[np.floating], code: NDArray[np.integer]
) -> Shorts:
    """0 to 16: how far each target is from its code, as a part of the way to the next one, and on
    which side."""
    off = target - levels[code]
    below, above = np.maximum(code, 1) - 1, np.minimum(code + 1, len(levels) - 1)
    room = np.where(off < 0, levels[code] - levels[below], levels[above] - levels[code])
    part = np.abs(off) / np.maximum(room, levels.dtype.type(1e-9))
    distance = np.searchsorted(_DISTANCES, np.minimum(part, 0.49), side="right")
    part_of: Shorts = (8 + np.where(off < 0, -distance, distance)).astype(np.uint16)
    return part_of


def contexts(levels: Floats, rows: Rows, *, pairs: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each row and old unit: the unit that is predicted, and its context, [rows, 256] both."""
    code, kind = classes(levels, rows)
    level = rows.level.astype(np.uint16)[:, None]
    if not pairs:
        wide = np.zeros((len(code), 256), np.uint8), np.zeros((len(code), 256), np.uint16)
        wide[0][:, : code.shape[1]] = code
        wide[1][:, : code.shape[1]] = kind
        return wide[0], wide[1] * np.uint16(LEVELS) + level
    unit = code[:, None, :] | (code << 4)[:, :, None]
    both = kind[:, None, :] * np.uint16(CLASSES) + kind[:, :, None]
    shape = (len(code), 256)
    return unit.reshape(shape), both.reshape(shape) * np.uint16(LEVELS) + level


def context_count(*, pairs: bool) -> int:
    return (CLASSES * CLASSES if pairs else CLASSES) * LEVELS
