"""How a device signs its requests: HTTP Message Signatures (RFC 9421) with Ed25519.

One fixed form of them: label `skerry`, the components `@method`, `@path` and `content-digest`
(RFC 9530, SHA-256), the parameters created, keyid, alg, nonce and tag, in this order. Whatever
implements the RFC can make and check it; a fixed form is compared as text here, in a tenth of the
time that parsing structured fields takes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from skerry.sync.server.errors import SignatureFault

TAG = "skerry-fleet"
WINDOW_S = 120
"""How far `created` may be from the server's clock."""
_COMPONENTS = '("@method" "@path" "content-digest")'
_PARAMETERS = re.compile(
    r'skerry=(\("@method" "@path" "content-digest"\)'
    r';created=(\d{1,12});keyid="([A-Za-z0-9._-]{1,128})";alg="ed25519"'
    r';nonce="([A-Za-z0-9_-]{16,64})";tag="skerry-fleet")'
)
_SIGNATURE = re.compile(r"skerry=:([A-Za-z0-9+/]{86}==):")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says before it is checked: whose key, when (seconds since 1970)."""

    keyid: str
    created: int
    nonce: str
    signature: bytes
    base: bytes

    def check(self, public_key: bytes) -> None:
        """Raises SignatureFault: the key did not make it."""
        try:
            Ed25519PublicKey.from_public_bytes(public_key).verify(self.signature, self.base)
        except (InvalidSignature, ValueError):
            raise SignatureFault("wrong", "the signature is not of this device's key") from None


def sign(
    key: Ed25519PrivateKey, keyid: str, method: str, path: str, body: bytes, *, created: int
) -> dict[str, str]:
    """The headers that a request of a device carries."""
    content = _content_digest(body)
    nonce = secrets.token_urlsafe(18)
    parameters = (
        f'{_COMPONENTS};created={created};keyid="{keyid}";alg="ed25519";nonce="{nonce}";tag="{TAG}"'
    )
    signature = key.sign(_base(method, path, content, parameters))
    return {
        "content-digest": content,
        "signature-input": f"skerry={parameters}",
        "signature": f"skerry=:{base64.b64encode(signature).decode()}:",
    }


def read(headers: Mapping[str, str], method: str, path: str, body: bytes, *, now: float) -> Signed:
    """What the headers say; the digest of the body and the time are checked.

    Raises:
        SignatureFault: there is none, it is malformed, too old or too new, or of another body.
    """
    given, signature = headers.get("signature-input"), headers.get("signature")
    if given is None or signature is None:
        raise SignatureFault("missing", "the request is not signed", hint="see docs/fleet.md")
    parameters, value = _PARAMETERS.fullmatch(given), _SIGNATURE.fullmatch(signature)
    if parameters is None or value is None:
        raise SignatureFault(
            "malformed", "the signature has another form", hint="see docs/fleet.md"
        )
    content = headers.get("content-digest", "")
    if content != _content_digest(body):
        raise SignatureFault("digest", "Content-Digest is not that of the body")
    created = int(parameters[2])
    if abs(now - created) > WINDOW_S:
        what = f"the signature is of another time: {created - now:+.0f} s"
        raise SignatureFault("time", what, hint="set the clock by the Date of this answer")
    base = _base(method, path, content, parameters[1])
    return Signed(parameters[3], created, parameters[4], _decoded(value[1]), base)


class Nonces:
    """Signatures that this process has seen within the window, in two halves of it."""

    def __init__(self) -> None:
        self._now, self._before, self._turns_at = set[str](), set[str](), 0.0

    def take(self, signed: Signed, now: float) -> None:
        """Raises SignatureFault: it was here before."""
        if now >= self._turns_at:
            fresh = now < self._turns_at + 2 * WINDOW_S
            self._before, self._now = (self._now if fresh else set()), set()
            self._turns_at = now + 2 * WINDOW_S
        one = f"{signed.keyid}:{signed.nonce}"
        if one in self._now or one in self._before:
            raise SignatureFault("replayed", "this signature was used before")
        self._now.add(one)


def _content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _base(method: str, path: str, content: str, parameters: str) -> bytes:
    return (
        f'"@method": {method}\n"@path": {path}\n"content-digest": {content}\n'
        f'"@signature-params": {parameters}'
    ).encode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise SignatureFault("malformed", "the signature is no base64") from None
