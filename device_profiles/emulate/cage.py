"""The limits of a device class, as far as this machine can have them. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skerry.device_profiles.emulate.errors import EmulationFailed
from skerry.device_profiles.fit import CORE_DECODE_GB_S, MIB
from skerry.device_profiles.profile import Profile

LEAST_BYTES = 8 * MIB
"""Below it no process starts."""


@dataclass(frozen=True, slots=True)
class Cage:
    """`cores` are numbers of this machine's processors; `cpus` is processor time for each second,
    None for all that `cores` have; `notes` say what of the device cannot be had here."""

    memory_bytes: int
    cores: tuple[int, ...]
    cpus: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.memory_bytes < LEAST_BYTES:
            raise EmulationFailed(f"{self.memory_bytes} bytes of memory hold no process")
        if not self.cores or (self.cpus is not None and not self.cpus >= 0.01):
            raise EmulationFailed("a cage needs a core and a hundredth of its time")


def cage_of(profile: Profile, cores: Sequence[int], *, memory_mb: int | None = None) -> Cage:
    """The cage of a device of this class.

    Memory is what the runtime may hold there. Processor time is so much that 4-bit weights are
    decoded as fast as there: `decode_gb_s` over what one core of this machine does (`fit`). It
    says nothing of prompts, which are bound by arithmetic.

    Args:
        profile: the class.
        cores: processors that this process may use (`os.sched_getaffinity`).
        memory_mb: another limit of memory, in MiB.
    """
    used = tuple(sorted(cores))[: profile.threads]
    wanted = profile.memory.decode_gb_s / CORE_DECODE_GB_S
    notes = []
    if len(used) < profile.threads:
        notes.append(f"{len(used)} cores in the place of {profile.threads}")
    if wanted > len(used):
        notes.append(f"as slow as {len(used)} cores here: the device decodes faster")
    return Cage(
        memory_bytes=(memory_mb or profile.memory.runtime_mb) * MIB,
        cores=used,
        cpus=wanted if wanted < len(used) else None,
        notes=tuple(notes),
    )
