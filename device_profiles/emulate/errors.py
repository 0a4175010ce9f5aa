"""What can go wrong before an emulated command runs. That it was ended for memory is a result."""

from __future__ import annotations

from skerry.device_profiles.errors import ProfileError


class EmulationFailed(ProfileError):
    """The command cannot be started, or not in these limits."""

    code = "emulation"
    exit_code = 2
