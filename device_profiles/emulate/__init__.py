"""Runs a command inside the limits of a device profile: memory, cores and processor time.

"Will it fit" is then tried and not only computed. `cage_of` says what the limits of a profile are
on this machine, `emulate` runs a command in them and says how it ended.
"""

from __future__ import annotations

from skerry.device_profiles.emulate.cage import Cage, cage_of
from skerry.device_profiles.emulate.errors import EmulationFailed
from skerry.device_profiles.emulate.run import By, Emulated, Ending, emulate

__all__ = ["By", "Cage", "Emulated", "EmulationFailed", "Ending", "cage_of", "emulate"]
