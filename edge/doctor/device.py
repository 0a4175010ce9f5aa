"""This machine, the profile that suits it, and how fast it reads memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.device_profiles import (
    Machine,
    Pick,
    Profile,
    find_profile,
    load_profiles,
    pick,
    probe,
)
from skerry.edge.doctor.report import Check, Status

if TYPE_CHECKING:
    from skerry.edge.settings import Settings


@dataclass(frozen=True, slots=True)
class Device:
    """The machine, all profiles, and the one in force with the reasons for it."""

    machine: Machine
    profiles: tuple[Profile, ...]
    picked: Pick


def look(settings: Settings) -> Device:
    """This device under `settings`.

    Raises:
        ProfileInvalid: a profile's file is wrong.
        ProfileNotFound: no profile has the name in the settings.
    """
    machine, profiles = probe(), load_profiles(settings.profiles_dir)
    if settings.profile is None:
        return Device(machine, profiles, pick(machine, profiles))
    named = find_profile(settings.profile, profiles)
    return Device(machine, profiles, Pick(named, ("the settings name it",)))


def check_profile(settings: Settings) -> Check:
    device = look(settings)
    profile, machine = device.picked.profile, device.machine
    detail = f"{profile.name}: {'; '.join(device.picked.reasons)}"
    if profile.threads > machine.cores:
        hint = f"set threads to {machine.cores}, or let the profile be picked"
        return Check("profile", Status.WARN, f"{detail}; it has {machine.cores} cores", hint)
    return Check("profile", Status.OK, detail)
