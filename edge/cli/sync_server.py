"""A device at a fleet server: its key, and where its offers come from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.sync.client import Device
    from skerry.sync.offers import Offers

_KEY = "device.key"
_HEX = 64


def join(
    folder: Path, url: str, token: str, *, name: str, profile: str, tags: tuple[str, ...]
) -> str:
    """Enrols the device of `folder` at a fleet server; its id there. Its key is made, and stays:
    what was cut short is done again with the same token.

    Raises:
        SourceFault: the server cannot be asked, or does not take the token.
        DeviceFault: the key cannot be kept.
    """
    from skerry.sync.server.offers_client import enrol

    return enrol(url, token, name, _made_key(folder / _KEY), profile=profile, tags=tags).device


def offers_of(device: Device) -> Offers | None:
    """Offers of the server that the device was enrolled at; None: it has none.

    Raises:
        DeviceFault: its key is not there.
    """
    enrolment = device.enrolment()
    if not enrolment.server:
        return None
    from skerry.sync.server.offers_client import HttpOffers

    return HttpOffers(enrolment.server, enrolment.device, _key(device.folder / _KEY))


def _made_key(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.sync.errors import DeviceFault

    if path.exists():
        return _key(path)
    key = Ed25519PrivateKey.generate()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(key.private_bytes_raw().hex())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        what = f"the device's key cannot be kept at '{path}': {error.strerror}"
        raise DeviceFault(what, hint="check the folder and the disk") from None
    return key


def _key(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from skerry.sync.errors import DeviceFault

    try:
        text = path.read_text(encoding="ascii")[: _HEX + 1].strip()
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
    except (OSError, ValueError):
        what = f"the device's key '{path}' is not there, or is none"
        raise DeviceFault(what, hint="enrol the device again, with a new token") from None
