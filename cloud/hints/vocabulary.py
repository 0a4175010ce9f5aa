"""Whether two models mean the same by a token id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def digest(texts: Iterable[bytes]) -> bytes:
    """SHA-256 over the tokens' texts in the order of their ids, each after its length (4 bytes,
    big-endian)."""
    hashed = hashlib.sha256()
    for text in texts:
        hashed.update(len(text).to_bytes(4, "big"))
        hashed.update(text)
    return hashed.digest()
