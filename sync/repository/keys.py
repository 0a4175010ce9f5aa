"""Signing keys: encrypted files, or keys on a PKCS#11 token, behind securesystemslib's signers.

A key is named by the URI of its private half: `encrypted:PATH` is a PKCS#8 file under a
passphrase; `hsm:ID?label=TOKEN` is a key on a token, whose library the variable `PYKCS11LIB` names
(`securesystemslib[PKCS11]`). Other URIs that securesystemslib knows work, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import (
    SIGNER_FOR_URI_SCHEME,
    CryptoSigner,
    HSMSigner,
    Key,
    Signer,
    SSlibKey,
)

from skerry.sync.durable import sync_folder, write_all
from skerry.sync.errors import KeyFault

Secrets = Callable[[str], str]
"""Gives the passphrase or PIN of what it is asked about."""

LEAST_PASSPHRASE = 8


class EncryptedFileSigner(CryptoSigner):
    """A key in a PKCS#8 file under a passphrase: `encrypted:PATH`."""

    SCHEME = "encrypted"

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key, secrets_handler: Secrets | None = None
    ) -> CryptoSigner:
        """The signer of a file.

        Raises:
            KeyFault: there is no such file, the passphrase is wrong, or it is another key.
        """
        path = Path(priv_key_uri.removeprefix(f"{cls.SCHEME}:"))
        if secrets_handler is None or not isinstance(public_key, SSlibKey):
            raise KeyFault(f"the key '{path}' needs a passphrase", hint="give --passphrase-file")
        signer = load_file(path, secrets_handler)
        if signer.public_key.keyid != public_key.keyid:
            what = f"'{path}' is another key than the {public_key.keyid[:12]} of the repository"
            raise KeyFault(what, hint="bring the file that belongs to it")
        return signer


SIGNER_FOR_URI_SCHEME[EncryptedFileSigner.SCHEME] = EncryptedFileSigner


def make_file(path: Path, secrets: Secrets) -> SSlibKey:
    """Makes an Ed25519 key in an encrypted file that only its owner reads; gives its public half.

    Raises:
        KeyFault: there is a file, or the passphrase is too short.
        OSError: it cannot be written.
    """
    passphrase = secrets(path.name)
    if len(passphrase) < LEAST_PASSPHRASE:
        what = f"a passphrase needs {LEAST_PASSPHRASE} characters"
        raise KeyFault(what, hint="take one that cannot be guessed")
    signer = CryptoSigner.generate_ed25519()
    pem = signer._private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
    )
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyFault(f"there is a key at '{path}' already", hint="it is not replaced") from None
    try:
        write_all(handle, pem)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)
    public = signer.public_key
    assert isinstance(public, SSlibKey)
    return public


def load_file(path: Path, secrets: Secrets) -> CryptoSigner:
    """The signer of an encrypted file.

    Raises:
        KeyFault: it is not there, is none, or the passphrase is wrong.
    """
    try:
        pem = path.read_bytes()
    except OSError as error:
        what = f"the key '{path}' cannot be read: {error.strerror}"
        raise KeyFault(what, hint="bring the disk that it is kept on") from None
    try:
        return CryptoSigner(load_pem_private_key(pem, secrets(path.name).encode()))
    except (ValueError, TypeError) as error:
        what = f"the key '{path}' cannot be opened: {error}"
        raise KeyFault(what, hint="check the passphrase") from None


def open_signer(uri: str, public: Key, secrets: Secrets) -> Signer:
    """The signer that `uri` names.

    Raises:
        KeyFault: it cannot be had here.
    """
    try:
        return Signer.from_priv_key_uri(uri, public, secrets)
    except KeyFault:
        raise
    except Exception as error:  # a signer may raise anything: see securesystemslib's Signer
        what = f"the key '{uri}' cannot be used: {error}"
        raise KeyFault(what, hint="check the token, its library and the PIN") from error


def import_token(uri: str, secrets: Secrets) -> tuple[str, SSlibKey]:
    """The whole URI and the public half of a key on a PKCS#11 token, by `hsm:[ID][?label=TOKEN]`.

    Raises:
        KeyFault: there is no such token or key.
    """
    from urllib.parse import parse_qsl, urlparse

    parsed = urlparse(uri)
    label = dict(parse_qsl(parsed.query)).get("label")
    try:
        key_id = int(parsed.path) if parsed.path else None
        return HSMSigner.import_(key_id, label, secrets)
    except Exception as error:  # the library of a token may raise anything
        what = f"the key '{uri}' cannot be read from its token: {error}"
        hint = "set PYKCS11LIB to the token's library; pip install 'securesystemslib[PKCS11]'"
        raise KeyFault(what, hint=hint) from error
