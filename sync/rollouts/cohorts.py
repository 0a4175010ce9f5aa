"""Which stage a device is in: by a stable hash of its id, by tags and by profile."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from skerry.sync.rollouts.plan import Plan, Stage

_RING = 1 << 64


@dataclass(frozen=True, slots=True)
class Device:
    """What a rollout knows of a device. `digest` is that of the bundle in use; `enrolled_at` is in
    seconds since 1970."""

    id: str
    profile: str
    group: str = ""
    tags: frozenset[str] = frozenset()
    digest: str = ""
    enrolled_at: float = 0.0


def place(salt: str, device: str) -> float:
    """Where a device is on the ring, from 0 up to 1: the same for ever, and evenly spread.

    The first 64 bits of SHA-256 over salt, a zero byte and the id.
    """
    digest = hashlib.sha256(f"{salt}\0{device}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) / _RING


def is_chosen(plan: Plan, device: Device) -> bool:
    """Whether a plan is about a device at all."""
    return (
        (not plan.groups or device.group in plan.groups)
        and (not plan.tags or not device.tags.isdisjoint(plan.tags))
        and (not plan.profiles or device.profile in plan.profiles)
    )


def stage_of(
    plan: Plan, device: Device, sizes: Mapping[str, int], started_at: float | None
) -> int | None:
    """The number of a device's stage; `len(plan.stages)` of one that was enrolled after the start;
    None of one that no stage admits.

    Args:
        sizes: chosen devices by profile, as they were counted at the start.
    """
    if not is_chosen(plan, device):
        return None
    if started_at is not None and device.enrolled_at > started_at:
        return len(plan.stages)
    here = place(plan.salt or plan.id, device.id)
    for number, stage in enumerate(plan.stages):
        if _admits(stage, device, here, sizes.get(device.profile, 0)):
            return number
    return None


def expected(plan: Plan, devices: Iterable[Device], sizes: Mapping[str, int]) -> tuple[int, ...]:
    """How many devices each stage has."""
    found = [0] * len(plan.stages)
    for device in devices:
        number = stage_of(plan, device, sizes, None)
        if number is not None:
            found[number] += 1
    return tuple(found)


def _admits(stage: Stage, device: Device, here: float, size: int) -> bool:
    if stage.tags and device.tags.isdisjoint(stage.tags):
        return False
    if stage.profiles and device.profile not in stage.profiles:
        return False
    share = stage.percent / 100
    if stage.at_least_per_profile:
        share = max(share, stage.at_least_per_profile / size if size else 1.0)
    return here < share or share >= 1.0
