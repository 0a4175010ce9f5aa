"""What the runtime does for updates: tries a new bundle, and changes to it between requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skerry.edge.updates.health import ModelHealth
from skerry.edge.updates.place import DeviceBundle, bundle_of, is_device

if TYPE_CHECKING:
    from skerry.edge.updates.hot import HotRuntime

__all__ = ["DeviceBundle", "HotRuntime", "ModelHealth", "bundle_of", "is_device"]


def __getattr__(name: str) -> Any:
    """HotRuntime is imported when it is used: it needs the whole runtime."""
    if name == "HotRuntime":
        from skerry.edge.updates.hot import HotRuntime

        return HotRuntime
    raise AttributeError(name)
