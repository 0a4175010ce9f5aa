"""What the fleet server keeps. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skerry.sync.rollouts.cohorts import Device
from skerry.sync.rollouts.states import TargetState


@dataclass(frozen=True, slots=True)
class Token:
    """Enrols one device, once. Only its digest is kept."""

    id: str
    tenant: str
    digest: str
    channel: str
    group: str
    tags: frozenset[str]
    made_by: str
    made_at: float
    expires_at: float
    used_at: float | None = None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device. `public_key` is Ed25519, in hex. `signed_at` is the `created` of its newest
    request; what it said of itself in older ones is not taken."""

    id: str
    tenant: str
    name: str
    public_key: str
    profile: str
    channel: str
    group: str
    tags: frozenset[str]
    enrolled_at: float
    revoked_at: float | None = None
    seen_at: float | None = None
    signed_at: int = 0
    digest: str = ""
    version: str = ""
    free_bytes: int = 0

    @property
    def as_device(self) -> Device:
        return Device(self.id, self.profile, self.group, self.tags, self.digest, self.enrolled_at)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device said of itself, when it asked."""

    device: str
    at: float
    signed_at: int
    profile: str
    digest: str
    version: str
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Target:
    """A device in a rollout, once it was told to take it."""

    rollout: str
    device: str
    state: TargetState
    stage: int
    attempt: int
    offered_at: float
    settled_at: float | None
    what: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What an operator did."""

    at: float
    tenant: str
    who: str
    action: str
    subject: str
    detail: Mapping[str, object]
