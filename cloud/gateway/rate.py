"""How often somebody may ask: a leaky bucket as a meter, by one number for each owner.

The generic cell rate algorithm (ITU-T I.371): the time at which the bucket is empty again.
"""

from __future__ import annotations


class Rates:
    """Requests of each owner. Pure: times are given, in seconds of one clock."""

    def __init__(self) -> None:
        self._empty_at: dict[str, float] = {}

    def take(self, owner: str, now: float, *, per_s: float, burst: int) -> float:
        """Takes one request, and returns 0; or takes none, and returns the seconds to wait.

        Args:
            per_s: requests a second that leave the bucket.
            burst: requests that the bucket holds.
        """
        empty_at = max(now, self._empty_at.get(owner, now))
        wait = empty_at + 1 / per_s - now - burst / per_s
        if wait > 1e-9:
            return wait
        self._empty_at[owner] = empty_at + 1 / per_s
        return 0.0
