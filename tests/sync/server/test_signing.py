"""The form of a signature, beside an implementation of RFC 9421 that is not ours."""

from __future__ import annotations

import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from skerry.sync.server.errors import SignatureFault
from skerry.sync.server.signing import WINDOW_S, Nonces, read, sign

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
NOW = 1_800_000_000


def _signed(body: bytes = b"{}") -> dict[str, str]:
    return sign(KEY, "d1", "POST", "/v1/checkin", body, created=NOW)


@given(st.binary(max_size=300))
def test_what_is_signed_is_read(body: bytes) -> None:
    found = read(_signed(body), "POST", "/v1/checkin", body, now=NOW + 5)
    found.check(PUBLIC)
    assert (found.keyid, found.created) == ("d1", NOW)


@given(st.sampled_from(["content-digest", "signature-input", "signature"]), st.text(max_size=200))
def test_any_header_is_read_or_refused(name: str, value: str) -> None:
    headers = _signed()
    if headers[name] == value:
        return
    with pytest.raises(SignatureFault):
        read({**headers, name: value}, "POST", "/v1/checkin", b"{}", now=NOW).check(PUBLIC)


@given(st.integers(0, 10_000))
def test_a_bit_that_flips_is_seen(at: int) -> None:
    headers = _signed()
    name = list(headers)[at % 3]
    place = at // 3 % len(headers[name])
    value = headers[name]
    flipped = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    with pytest.raises(SignatureFault):
        read({**headers, name: flipped}, "POST", "/v1/checkin", b"{}", now=NOW).check(PUBLIC)


def test_another_method_path_or_key() -> None:
    for method, path in (("GET", "/v1/checkin"), ("POST", "/v1/reports")):
        with pytest.raises(SignatureFault):
            read(_signed(), method, path, b"{}", now=NOW).check(PUBLIC)
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(SignatureFault, match="not of this device"):
        read(_signed(), "POST", "/v1/checkin", b"{}", now=NOW).check(other)


def test_a_nonce_is_good_once_for_as_long_as_its_signature_is() -> None:
    seen, headers = Nonces(), _signed()
    for now in (NOW - WINDOW_S, NOW, NOW + WINDOW_S):
        found = read(headers, "POST", "/v1/checkin", b"{}", now=now)
        if now == NOW - WINDOW_S:
            seen.take(found, now)
            continue
        with pytest.raises(SignatureFault, match="before"):
            seen.take(found, now)
    seen.take(read(_signed(), "POST", "/v1/checkin", b"{}", now=NOW), NOW)


def test_nonces_are_forgotten_in_time() -> None:
    seen = Nonces()
    for i in range(40):
        now = NOW + i * WINDOW_S
        headers = sign(KEY, "d1", "POST", "/", b"", created=now)
        seen.take(read(headers, "POST", "/", b"", now=now), now)
    assert len(seen._now) + len(seen._before) <= 6


def test_another_implementation_takes_it() -> None:
    hms = pytest.importorskip("http_message_signatures")

    class Keys(hms.HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> object:
            return KEY.public_key()

    class Message:
        method, url, body = "POST", "https://fleet.example.org/v1/checkin", b"{}"
        headers = sign(KEY, "d1", "POST", "/v1/checkin", b"{}", created=int(time.time()))

    verifier = hms.HTTPMessageVerifier(
        signature_algorithm=hms.algorithms.ED25519, key_resolver=Keys()
    )
    (found,) = verifier.verify(Message())
    assert found.parameters["keyid"] == "d1"
    assert [str(one).strip('"') for one in found.covered_components][:3] == [
        "@method", "@path", "content-digest"
    ]  # fmt: skip
