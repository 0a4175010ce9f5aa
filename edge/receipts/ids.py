"""Receipt ids: UUID version 7 (RFC 9562), so that ids sort by time."""

from __future__ import annotations

import secrets
import time
from uuid import UUID

_VERSION = 7 << 76
_VARIANT = 0b10 << 62


def new_id() -> str:
    """A new id, unique and later than every earlier one of a clock that runs forward."""
    return uuid7(time.time_ns(), secrets.randbits(62))


def uuid7(unix_ns: int, random: int) -> str:
    """UUIDv7 of a time in nanoseconds and 62 random bits.

    The 12 bits after the milliseconds are the fraction of one (RFC 9562, section 6.2,
    method 3): ids of one device sort to a quarter of a microsecond.
    """
    milliseconds, rest = divmod(unix_ns, 1_000_000)
    fraction = (rest << 12) // 1_000_000
    number = (milliseconds << 80) | _VERSION | (fraction << 64) | _VARIANT | random
    return str(UUID(int=number))
