"""Measures how fast this machine reads memory: what bounds the decoding of tokens.

Takes a fraction of a second and 128 MiB of memory; run by `skerry doctor`, never while serving.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOTAL_BYTES = 128 << 20
_ROUNDS = 4


def measure_read_gb_s(threads: int) -> float:
    """10**9 bytes per second that `threads` threads read together, best of a few rounds.

    Each thread takes the maximum of its own int32 array, which is as fast as memory is; all
    arrays together are larger than common caches. Other work on the machine lowers the result.
    """
    import numpy as np

    elements = _TOTAL_BYTES // threads // 4
    parts = [np.ones(elements, dtype=np.int32) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as executor:
        seconds = min(_read_all(executor, parts) for _ in range(_ROUNDS))
    return sum(part.nbytes for part in parts) / seconds / 1e9


def _read_all(executor: ThreadPoolExecutor, parts: list[NDArray[np.int32]]) -> float:
    started = time.perf_counter()
    list(executor.map(lambda part: part.max(), parts))
    return time.perf_counter() - started
