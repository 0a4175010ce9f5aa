"""Picks the profile that suits a machine, and cuts it down to what the machine has. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from skerry.device_profiles.errors import ProfileNotFound
from skerry.device_profiles.machine import Machine
from skerry.device_profiles.profile import Profile

_NOMINAL = 0.85
"""A machine sold with 4 GB shows 85 % of it or more: firmware, GPU and kernel take the rest."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A profile that suits the machine, never asking for more than it has; and why it does."""

    profile: Profile
    reasons: tuple[str, ...]


def pick(machine: Machine, profiles: Sequence[Profile]) -> Pick:
    """The profile of the machine's kind and architecture with the most memory that it has.

    Where no profile has its kind, those of its architecture count, then all. The order of
    `profiles` does not matter.

    Raises:
        ProfileNotFound: `profiles` is empty.
    """
    if not profiles:
        raise ProfileNotFound("there is no device profile", hint="add one, or reinstall skerry")
    candidates, why = _alike(machine, profiles)
    chosen = _largest(machine, candidates)
    profile = _cut_down(machine, chosen)
    return Pick(profile, (*why, *_memory(machine, chosen), *_cuts(chosen, profile)))


def _alike(machine: Machine, profiles: Sequence[Profile]) -> tuple[list[Profile], list[str]]:
    same = [p for p in profiles if p.cpu.architecture == machine.architecture]
    of_kind = [p for p in profiles if machine.kind is not None and p.kind is machine.kind]
    named = f"{machine.model or 'this machine'} is a {machine.kind}" if machine.kind else ""
    if both := [p for p in of_kind if p in same]:
        return both, [f"{named} with {machine.architecture} cores"]
    if of_kind:
        return of_kind, [f"{named}; no profile of that kind has {machine.architecture} cores"]
    if same:
        return same, [f"no profile is of its kind; it has {machine.architecture} cores"]
    return list(profiles), [f"no profile is of its kind or has {machine.architecture} cores"]


def _largest(machine: Machine, candidates: Sequence[Profile]) -> Profile:
    """The one with the most memory among those that fit; the smallest if none does."""
    order = sorted(candidates, key=lambda p: (p.memory.total_mb, p.name))
    fitting = [p for p in order if _has(machine, p)]
    return fitting[-1] if fitting else order[0]


def _has(machine: Machine, profile: Profile) -> bool:
    return machine.memory_limit_mb >= _NOMINAL * profile.memory.total_mb


def _cut_down(machine: Machine, profile: Profile) -> Profile:
    memory = profile.memory
    share = min(1.0, machine.memory_limit_mb / memory.total_mb)
    if _has(machine, profile):
        share = 1.0
    threads = min(profile.threads, machine.cores)
    fewer = replace(
        memory,
        total_mb=max(1, int(memory.total_mb * share)),
        runtime_mb=max(1, int(memory.runtime_mb * share)),
        decode_gb_s=memory.decode_gb_s * threads / profile.threads,
    )
    return replace(profile, threads=threads, memory=fewer)


def _memory(machine: Machine, profile: Profile) -> Iterator[str]:
    relation = "the profile asks for" if _has(machine, profile) else "less than the profile's"
    yield f"it may use {machine.memory_limit_mb} MB of memory; {relation} {profile.memory.total_mb}"


def _cuts(chosen: Profile, profile: Profile) -> Iterator[str]:
    if profile.threads < chosen.threads:
        yield f"threads cut from {chosen.threads} to the {profile.threads} cores it may use"
    if profile.memory.runtime_mb < chosen.memory.runtime_mb:
        before, after = chosen.memory.runtime_mb, profile.memory.runtime_mb
        yield f"memory for the runtime cut in proportion, from {before} to {after} MB"
