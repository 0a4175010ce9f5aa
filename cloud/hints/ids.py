"""Token ids on the wire: unsigned LEB128 numbers (DWARF 5, section 7.6), one after another.

Tokenizers give frequent tokens small ids, so most take two bytes where MessagePack takes three.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.cloud.errors import ProtocolError

_MOST_BITS = 35
"""Of a number that is read: five groups of seven."""


def packed_ids(tokens: Sequence[int]) -> bytes:
    return bytes(byte for token in tokens for byte in _groups(token))


def unpacked_ids(data: bytes) -> tuple[int, ...]:
    """Raises ProtocolError: the last number is cut off, or one is too long."""
    return tuple(_numbers(data))


def _groups(token: int) -> Iterator[int]:
    while token >= 0x80:
        yield token & 0x7F | 0x80
        token >>= 7
    yield token


def _numbers(data: bytes) -> Iterator[int]:
    token = bits = 0
    for byte in data:
        token |= (byte & 0x7F) << bits
        bits += 7
        if byte < 0x80:
            yield token
            token = bits = 0
        elif bits >= _MOST_BITS:
            raise ProtocolError("an id of a frame is no number")
    if bits:
        raise ProtocolError("the last id of a frame is cut off")
