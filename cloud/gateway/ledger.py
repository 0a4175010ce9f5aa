"""What tenants used: counted at once, written to the state a little later.

Between two writes another gateway does not know of it: quotas are exact to what is used in that
time, and to the requests under way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from skerry.cloud.gateway.config import Model, Tenant
from skerry.cloud.gateway.errors import Refusal
from skerry.cloud.gateway.state.base import COUNTS, Use

_DAY_S = 86_400


def day_of(seconds: float) -> str:
    """The day in UTC of a time since 1970."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def cost(model: Model, prompt_tokens: int, completion_tokens: int) -> float:
    """In the unit of the file's prices, which are for 1,000 tokens."""
    return (prompt_tokens * model.price_in + completion_tokens * model.price_out) / 1_000


class Ledger:
    """Used by one event loop; `taken` goes to a thread that writes it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._pending: dict[tuple[str, ...], Use] = {}
        self._spent: dict[str, int] = {}
        self._since: Counter[str] = Counter()
        self._writing: Counter[str] = Counter()
        self._day = day_of(clock())

    @property
    def today(self) -> str:
        return day_of(self._clock())

    def add(self, use: Use) -> None:
        self._wait(use)
        if use.day == self._day:
            self._since[use.tenant] += use.tokens

    def spent(self, tenant: str) -> int:
        """Tokens of today."""
        if self._day != self.today:
            self._day, self._spent = self.today, {}
            self._since, self._writing = Counter(), Counter()
        return self._spent.get(tenant, 0) + self._since[tenant] + self._writing[tenant]

    def check(self, tenant: str, rules: Tenant) -> None:
        """Raises Refusal: 429: today's quota is used up."""
        most = rules.tokens_per_day
        if most is not None and self.spent(tenant) >= most:
            left = _DAY_S - self._clock() % _DAY_S
            what = f"the {most} tokens of today are used up"
            hint = "they begin again at midnight UTC"
            raise Refusal(429, "insufficient_quota", what, hint=hint, retry_s=left)

    def taken(self) -> list[Use]:
        """What waits to be written; `written` or `given_back` follows."""
        uses, self._pending = list(self._pending.values()), {}
        self._writing, self._since = self._writing + self._since, Counter()
        return uses

    def written(self, spent: dict[str, int]) -> None:
        """It is in the state, which says what is `spent` of today, by everybody."""
        self._writing, self._spent = Counter(), spent

    def given_back(self, uses: Sequence[Use]) -> None:
        """It could not be written: it waits again."""
        for use in uses:
            self._wait(use)

    def _wait(self, use: Use) -> None:
        key = (use.day, use.tenant, use.request_class, use.model)
        self._pending[key] = _sum(self._pending[key], use) if key in self._pending else use


def _sum(one: Use, other: Use) -> Use:
    """Of the same day, tenant, class and model."""
    sums = {name: getattr(one, name) + getattr(other, name) for name in COUNTS}
    return replace(one, **sums)
