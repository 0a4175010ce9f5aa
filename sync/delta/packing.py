"""Small integers in bytes, as ggml packs them: taken apart and put together."""

from __future__ import annotations

import numpy as np

from skerry.sync.delta.arrays import Bytes, Integers


def nibbles_apart(raw: Bytes, run: int) -> Bytes:
    """[n, m] as [n, 2m]: of each `run` bytes the low halves, then the high ones."""
    runs = raw.reshape(len(raw), -1, run)
    made = np.empty((len(raw), runs.shape[1], 2, run), np.uint8)
    np.bitwise_and(runs, 15, out=made[:, :, 0])
    np.right_shift(runs, 4, out=made[:, :, 1])
    return made.reshape(len(raw), -1)


def nibbles_together(codes: Bytes, run: int) -> Bytes:
    runs = codes.reshape(len(codes), -1, 2, run)
    return (runs[:, :, 0] | runs[:, :, 1] << 4).reshape(len(codes), -1)


def bits_apart(raw: Bytes, count: int, width: int) -> Bytes:
    """[n, m] as [n, count * m]: of all m bytes the lowest `width` bits, then the next ones."""
    mask = np.uint8((1 << width) - 1)
    shifts = np.arange(0, count * width, width, dtype=np.uint8)[:, None]
    return (raw[:, None, :] >> shifts & mask).reshape(len(raw), -1)


def bits_together(codes: Bytes, count: int, width: int) -> Bytes:
    planes = codes.reshape(len(codes), count, -1)
    made = planes[:, 0].copy()
    for one in range(1, count):
        made |= planes[:, one] << np.uint8(one * width)
    return made


def pairs_apart(raw: Bytes) -> Bytes:
    """[n, 128] of Q4_K as [n, 128]: of each 32 bytes the pairs of neighbours among the low halves
    (one sub-block), then among the high ones (the next)."""
    two = np.ascontiguousarray(raw).view("<u2").reshape(len(raw), -1, 1, 16)
    halves = np.concatenate([two & 0x0F0F, two >> 4 & 0x0F0F], axis=2)
    pairs: Bytes = (halves | halves >> 4).astype(np.uint8)
    return pairs.reshape(len(raw), -1)


def pairs_together(units: Bytes) -> Bytes:
    wide: Bytes = units.astype(np.uint16).reshape(len(units), -1, 2, 16)
    wide = (wide | wide << 4) & 0x0F0F
    two = wide[:, :, 0] | wide[:, :, 1] << 4
    return two.astype("<u2").view(np.uint8).reshape(len(units), -1)


def k4_scales_apart(raw: Bytes) -> tuple[Bytes, Bytes]:
    """The 12 bytes of Q4_K and Q5_K as 8 scales and 8 minima of six bits."""
    first, second, third = raw[:, 0:4], raw[:, 4:8], raw[:, 8:12]
    scales = np.concatenate([first & 63, third & 15 | (first >> 6) << 4], axis=1)
    minima = np.concatenate([second & 63, third >> 4 | (second >> 6) << 4], axis=1)
    return scales, minima


def k4_scales_together(scales: Bytes, minima: Bytes) -> Bytes:
    first = scales[:, :4] | (scales[:, 4:] >> 4) << 6
    second = minima[:, :4] | (minima[:, 4:] >> 4) << 6
    third = scales[:, 4:] & 15 | (minima[:, 4:] & 15) << 4
    return np.concatenate([first, second, third], axis=1)


def k3_scales_apart(raw: Bytes) -> Bytes:
    """The 12 bytes of Q3_K as 16 scales of six bits."""
    low = nibbles_apart(raw[:, :8], 8)
    return low | bits_apart(raw[:, 8:12], 4, 2) << 4


def k3_scales_together(scales: Bytes) -> Bytes:
    low = nibbles_together(scales & 15, 8)
    return np.concatenate([low, bits_together(scales >> 4, 4, 2)], axis=1)


def iq4_scales_apart(high: Integers, low: Bytes) -> Bytes:
    """A word and 4 bytes of IQ4_XS as 8 scales of six bits."""
    shifts = np.arange(0, 16, 2, dtype=np.uint16)
    top = (high[:, None] >> shifts & 3).astype(np.uint8)
    scales: Bytes = np.stack([low & 15, low >> 4], axis=2).reshape(len(low), 8) | top << 4
    return scales


def iq4_scales_together(scales: Bytes) -> tuple[Integers, Bytes]:
    low = scales[:, 0::2] & 15 | (scales[:, 1::2] & 15) << 4
    shifts = np.arange(0, 16, 2, dtype=np.uint16)
    high = ((scales >> 4).astype(np.uint16) << shifts).sum(axis=1, dtype=np.uint16)
    return high, low
