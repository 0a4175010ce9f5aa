"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# A deadline per example measures the machine's other work, not the code.
settings.register_profile("skerry", deadline=None)
settings.load_profile("skerry")
