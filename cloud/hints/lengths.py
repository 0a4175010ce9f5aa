"""Frames one after another in a body of HTTP: each after its length, 4 bytes, big-endian. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import MOST_BYTES

NAME_HEADER = "X-Skerry-Generation"
MEDIA_TYPE = "application/vnd.skerry.hints"
_PREFIX = 4


def prefixed(data: bytes) -> bytes:
    """A frame after its length."""
    return len(data).to_bytes(_PREFIX, "big") + data


class Frames:
    """Takes bytes as they come, and gives whole frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now.

        Raises:
            ProtocolError: one is too long.
        """
        self._held += data
        while len(self._held) >= _PREFIX:
            end = _PREFIX + int.from_bytes(self._held[:_PREFIX], "big")
            if end - _PREFIX > MOST_BYTES:
                raise ProtocolError(f"a frame has more than {MOST_BYTES} bytes")
            if len(self._held) < end:
                return
            yield bytes(self._held[_PREFIX:end])
            del self._held[:end]

    def finish(self) -> None:
        """Raises ProtocolError: a frame is cut off."""
        if self._held:
            raise ProtocolError("a frame is cut off")
