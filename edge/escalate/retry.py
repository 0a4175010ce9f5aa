"""Whether to try again, and after how long: the decision without the waiting.

Our own rather than a retry library's: jitter, `Retry-After` and the deadline are decided together,
and no process-wide switch or hook of an embedding application may change how often text leaves.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.edge.escalate.faults import Transient
from skerry.edge.escalate.options import CloudOptions


def delay_s(
    options: CloudOptions,
    error: Exception,
    *,
    attempt: int,
    remaining_s: float,
    uniform: Callable[[float, float], float],
) -> float | None:
    """Seconds to wait after failed `attempt` (from 1); None if another makes no sense.

    Exponential backoff with full jitter (Brooker, "Exponential Backoff And Jitter", AWS
    Architecture Blog, 2015), or what the server asked for with `Retry-After`. A wait that
    would outlast the deadline is not begun: the device can answer in that time.
    """
    if not isinstance(error, Transient) or attempt > options.max_retries:
        return None
    ceiling = min(options.backoff_max_s, options.backoff_base_s * 2 ** min(attempt - 1, 32))
    wait = uniform(0.0, ceiling) if error.retry_after_s is None else error.retry_after_s
    return wait if wait < remaining_s else None
