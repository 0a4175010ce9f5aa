"""When to look for updates again: spread out, and ever less often while it fails.

Failures double the wait up to a day; then any moment of it (full jitter, Marc Brooker, "Exponential
Backoff And Jitter", AWS 2015). So neither a restart of all devices nor one of a server brings them
all at once.
"""

from __future__ import annotations

import random

JITTER = 0.1
_FIRST_S = 60.0
_LONGEST_S = 86_400.0
_LEAST_S = 10.0


def next_poll(after_s: float, failures: int, rng: random.Random | None = None) -> float:
    """Seconds until the next look.

    Args:
        after_s: what the source of offers wishes.
        failures: how many looks failed in a row.
        rng: where chance comes from.
    """
    draw = rng or random.SystemRandom()
    if failures == 0:
        return max(_LEAST_S, after_s * (1 + draw.uniform(-JITTER, JITTER)))
    longest = min(_LONGEST_S, _FIRST_S * 2 ** min(failures - 1, 20))
    return max(_LEAST_S, draw.uniform(0, longest))
