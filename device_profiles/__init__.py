"""What a device can run, and which model settings suit it.

Profiles are TOML files in this folder, one per device class.
"""

from __future__ import annotations

if __name__ != "skerry.device_profiles":
    raise ImportError(f"import this package as skerry.device_profiles, not as {__name__}")
