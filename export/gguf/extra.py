"""What this room needs beyond the runtime, and how it is installed."""

from __future__ import annotations

import importlib.util

INSTALL = "pip install 'gguf>=0.17'"


def missing() -> str | None:
    """None, or the command line that installs the package `gguf`."""
    return None if importlib.util.find_spec("gguf") else INSTALL
