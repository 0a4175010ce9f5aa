"""Integers, bytes and texts of a delta, written one after the other, and read with limits."""

from __future__ import annotations

from skerry.sync.delta.errors import DeltaInvalid

_MOST_SHIFT = 63


class Writer:
    """Fields of a delta."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def uint(self, value: int) -> None:
        """LEB128: seven bits a byte, the lowest first."""
        made = bytearray()
        while value > 127:
            made.append(value & 127 | 128)
            value >>= 7
        made.append(value)
        self._parts.append(bytes(made))

    def raw(self, data: bytes) -> None:
        self._parts.append(data)

    def text(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        self.uint(len(data))
        self.raw(data)

    def bytes(self) -> bytes:
        return b"".join(self._parts)


class Reader:
    """Reads what a `Writer` wrote; every method raises DeltaInvalid where that is not there."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    def uint(self, most: int) -> int:
        """An integer of at most `most`."""
        value = 0
        for shift in range(0, _MOST_SHIFT + 1, 7):
            byte = self.raw(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                break
        else:
            raise _damaged("an integer has no end")
        if value > most:
            raise _damaged(f"it claims {value} where at most {most} can be")
        return value

    def raw(self, length: int) -> bytes:
        if length > len(self._data) - self._at:
            raise _damaged("it is cut off")
        start, self._at = self._at, self._at + length
        return bytes(self._data[start : self._at])

    def text(self, most: int) -> str:
        return self.raw(self.uint(most)).decode("utf-8", "surrogateescape")

    def rest(self) -> memoryview:
        """All that is left."""
        start, self._at = self._at, len(self._data)
        return self._data[start:]

    def finish(self) -> None:
        """Raises DeltaInvalid unless all was read."""
        if self._at != len(self._data):
            raise _damaged("there is more than there should be")


def _damaged(what: str) -> DeltaInvalid:
    return DeltaInvalid(f"the delta is damaged: {what}", hint="fetch it again")
