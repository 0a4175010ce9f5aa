"""What the runtime does for updates: tries a new bundle, and changes to it between requests."""

from skerry.edge.updates.health import ModelHealth
from skerry.edge.updates.place import DeviceBundle, bundle_of, is_device

__all__ = ["DeviceBundle", "ModelHealth", "bundle_of", "is_device"]
