"""Reads a small file of a bundle: what is used are the bytes that were compared."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from skerry.edge.errors import BundleRefused

_FETCH = "see `skerry bundle verify`; fetch the bundle again"


def read_checked(path: Path, digest: str, most: int) -> bytes:
    """The bytes of a file that has this SHA-256 (hex).

    Raises:
        BundleRefused: it is gone, a link, larger than `most` bytes, or was changed.
    """
    from skerry.bundles.hashing import open_file

    try:
        with open_file(path) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise BundleRefused(f"'{path}' cannot be read: {error.strerror}", hint=_FETCH) from error
    if len(content) > most:
        what = f"'{path}' has more than {most:,} bytes, which no such part has"
        raise BundleRefused(what, hint="build the bundle anew")
    if sha256(content).hexdigest() != digest:
        raise BundleRefused(f"'{path}' was changed: it has another digest", hint=_FETCH)
    return content
