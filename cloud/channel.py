"""Where the frames of one generation come from and go to: the Protocol, whatever carries it."""

from __future__ import annotations

from typing import Protocol

from skerry.cloud.errors import CloudTierError
from skerry.cloud.hints.frames import CloudFrame, DeviceFrame


class Gone(Exception):
    """The other side has closed, or cannot be reached any more."""


class Channel(Protocol):
    """Frames both ways, in order. One reader and one writer at a time."""

    async def receive(self) -> DeviceFrame:
        """Raises Gone; ProtocolError for a frame that cannot be read."""
        ...

    async def send(self, frame: CloudFrame) -> None:
        """Raises Gone."""
        ...


class Telling(Channel, Protocol):
    """A channel that can say what went wrong."""

    async def tell(self, error: CloudTierError) -> None:
        """To whoever is still there."""
        ...
