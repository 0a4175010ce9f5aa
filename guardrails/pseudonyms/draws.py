"""Draws that depend on nothing but a conversation's key and what is drawn for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Draw:
    """Numbers below a bound, from HMAC-SHA256 (RFC 2104) in counter mode."""

    def __init__(self, key: bytes, *about: str) -> None:
        self._key = key
        self._about = "\0".join(about).encode("utf-8", "surrogatepass")
        self._count = 0

    def below(self, bound: int) -> int:
        """A number from 0 up to `bound`, without it."""
        block = self._about + self._count.to_bytes(4)
        self._count += 1
        return int.from_bytes(hmac.digest(self._key, block, hashlib.sha256)[:8]) % bound

    def one(self, of: Sequence[_T]) -> _T:
        return of[self.below(len(of))]

    def digits(self, number: int) -> str:
        return "".join(str(self.below(10)) for _ in range(number))
