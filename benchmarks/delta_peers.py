"""What others take for the same pair of files, in bytes."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import zstandard
from numpy.typing import NDArray

from benchmarks.delta_pairs import Pair

_MASK = (1 << 16) - 1
"""Of the rolling hash: chunks of 64 KiB in the mean."""


def peer_bytes(pair: Pair, *, quick: bool) -> dict[str, int]:
    """By name of the peer; what is not installed is left out, but for bsdiff4."""
    import bsdiff4

    old, new = pair.old.read_bytes(), pair.new.read_bytes()
    found = {
        "bsdiff4": len(bsdiff4.diff(old, new)),
        "zstd --patch-from -19": patch_from(old, new),
        "chunks of 64 KiB": chunks(old, new),
    }
    if not quick:
        found["zstd -19"] = len(zstandard.ZstdCompressor(level=19).compress(new))
    try:
        import xdelta3
    except ImportError:
        sys.stderr.write("xdelta3 is not installed: left out\n")
    else:
        found["xdelta3 -9"] = len(xdelta3.encode(old, new, xdelta3.Flags.COMPLEVEL_9))
    return found


def patch_from(old: bytes, new: bytes) -> int:
    """As `zstd --patch-from=old -19 --long=27` has it."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        19, window_log=27, chain_log=27, hash_log=25, enable_ldm=True
    )
    dictionary = zstandard.ZstdCompressionDict(old, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    packer = zstandard.ZstdCompressor(compression_params=parameters, dict_data=dictionary)
    return len(packer.compress(new))


def chunks(old: bytes, new: bytes) -> int:
    """Content-defined chunks: those that the old file does not have, packed by zstd -3."""
    there = {hashlib.sha256(one).digest() for one in _cut(old)}
    packer = zstandard.ZstdCompressor(level=3)
    return sum(
        40 if hashlib.sha256(one).digest() in there else 40 + len(packer.compress(one))
        for one in _cut(new)
    )


def _cut(data: bytes) -> list[bytes]:
    """Cuts where a gear hash of the last 32 bytes ends in zeros (FastCDC, Xia et al. 2016)."""
    table = np.random.default_rng(0).integers(0, 1 << 32, 256, dtype=np.uint64)
    gear = table[np.frombuffer(data, np.uint8)]
    rolled = np.zeros(len(gear), np.uint64)
    for age in range(16):
        rolled[age:] += gear[: len(gear) - age] << np.uint64(age)
    ends: NDArray[np.intp] = ((rolled >> np.uint64(8)) & np.uint64(_MASK) == 0).nonzero()[0] + 1
    places = [0, *ends.tolist(), len(data)]
    return [data[start:end] for start, end in zip(places, places[1:], strict=False) if end > start]


