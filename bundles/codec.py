"""`bundle.json` as bytes: one form for one content, so that the digest of the file names it.

Canonical form: keys sorted, two spaces of indentation, UTF-8, a line feed at the end. Bytes of any
other form are refused: two programs could read them differently.
"""

from __future__ import annotations

import hashlib

import msgspec

from skerry.bundles.errors import ManifestInvalid
from skerry.bundles.manifest import READ, Manifest
from skerry.bundles.rules import problems

MAX_BYTES = 16 << 20

_MAKE_ANEW = "make the bundle anew, or fetch it again"
_UPDATE = "update Skerry to the version that made it, or make the bundle anew"


class _Versioned(msgspec.Struct):
    """The one field that every version has."""

    schema: str


def encode(manifest: Manifest) -> bytes:
    """The canonical bytes.

    Raises:
        ManifestInvalid: parts of it do not agree; names the first.
    """
    _check(manifest)
    return _canonical(manifest)


def decode(data: bytes, source: str = "bundle.json") -> Manifest:
    """The manifest that `data` says; errors call it `source`.

    Raises:
        ManifestInvalid: it is none, or none that this version reads.
    """
    if len(data) > MAX_BYTES:
        what = f"{source} has {len(data)} bytes, more than {MAX_BYTES}"
        raise ManifestInvalid(what, hint=_MAKE_ANEW)
    try:
        _check_version(data, source)
        manifest = msgspec.json.decode(data, type=Manifest)
        canonical = _canonical(manifest)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise ManifestInvalid(f"{source} is no manifest: {error}", hint=_MAKE_ANEW) from None
    _check(manifest, source)
    if canonical != data:
        what = f"{source} is not in its canonical form: a key is there twice, or the layout changed"
        raise ManifestInvalid(what, hint=_MAKE_ANEW)
    return manifest


def digest(manifest: Manifest) -> str:
    """SHA-256 (hex) of the canonical bytes: the identity of the bundle."""
    return hashlib.sha256(encode(manifest)).hexdigest()


def _canonical(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"


def _check_version(data: bytes, source: str) -> None:
    version = msgspec.json.decode(data, type=_Versioned).schema
    if version not in READ:
        known = " and ".join(READ)
        what = f"{source} is of the schema '{version[:64]}'; this version reads {known}"
        raise ManifestInvalid(what, hint=_UPDATE)


def _check(manifest: Manifest, source: str = "the manifest") -> None:
    first = next(problems(manifest), None)
    if first is not None:
        raise ManifestInvalid(f"{source}: {first}", hint=_MAKE_ANEW)
