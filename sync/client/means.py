"""What a client works with, and what it says of its work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from skerry.bundles.hashing import Told, unheard
from skerry.device_profiles import Profile
from skerry.sync.client.deltas import DeltaPlanner
from skerry.sync.client.health import HealthCheck, only_whole
from skerry.sync.client.plan import Planner
from skerry.sync.client.source import Source
from skerry.sync.offers import Offers


class Result(StrEnum):
    """What `apply` came to."""

    CURRENT = "current"
    INSTALLED = "installed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did. `fetched` is bytes that came over the network."""

    result: Result
    version: str = ""
    digest: str = ""
    fetched: int = 0
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a client works with; each has a default that needs nothing.

    `offers` makes the source of offers of the client's own `latest`; `metered` is what the owner of
    the device says of its network; `told` is told of bytes that came.
    """

    source: Source | None = None
    offers: Offers | None = None
    health: HealthCheck = only_whole
    planner: Planner = field(default_factory=DeltaPlanner)
    profile: Profile | None = None
    metered: bool = False
    free_rein: bool = False
    clock: Callable[[], float] = time.time
    told: Told = unheard
