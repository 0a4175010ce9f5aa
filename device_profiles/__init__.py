"""What a device can run, and which model settings suit it.

Profiles are TOML files in this folder, one per device class. `probe` says what this machine is,
`pick` which profile suits it, `fit` whether a model fits.
"""

from __future__ import annotations

if __name__ != "skerry.device_profiles":
    raise ImportError(f"import this package as skerry.device_profiles, not as {__name__}")

from skerry.device_profiles.bandwidth import measure_read_gb_s
from skerry.device_profiles.errors import ProfileError, ProfileInvalid, ProfileNotFound
from skerry.device_profiles.fit import Fit, Fits, Loading, ModelFacts, Room, fit, room_of
from skerry.device_profiles.kv import KvType
from skerry.device_profiles.machine import Machine, probe
from skerry.device_profiles.pick import Pick, pick
from skerry.device_profiles.profile import (
    Accelerator,
    Cpu,
    Format,
    Kind,
    Memory,
    Profile,
    find_profile,
    load_profiles,
    parse_profile,
    read_profile,
)

__all__ = [
    "Accelerator",
    "Cpu",
    "Fit",
    "Fits",
    "Format",
    "Kind",
    "KvType",
    "Loading",
    "Machine",
    "Memory",
    "ModelFacts",
    "Pick",
    "Profile",
    "ProfileError",
    "ProfileInvalid",
    "ProfileNotFound",
    "Room",
    "find_profile",
    "fit",
    "load_profiles",
    "measure_read_gb_s",
    "parse_profile",
    "pick",
    "probe",
    "read_profile",
    "room_of",
]
