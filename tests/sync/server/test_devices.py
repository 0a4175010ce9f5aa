"""Enrolment and signed requests: what is taken, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from skerry.sync.offers import DeviceFacts
from skerry.sync.server import signing
from tests.sync.server.asking import Device, World


def _facts(device: Device) -> bytes:
    return msgspec.json.encode(DeviceFacts(device=device.id, profile="phone"))


def test_a_token_enrols_one_device_once(world: World) -> None:
    token, key = world.token(), Ed25519PrivateKey.generate()
    first = world.enrol("a", token, key=key)
    assert first.status_code == 200
    assert first.json()["tenant"] == "clinic"
    assert world.enrol("b", token).status_code == 401
    again = world.enrol("a", token, key=key)  # the answer was lost
    assert again.json() == first.json()
    assert len(world.operator().ask("GET", "devices")["devices"]) == 1


def test_tokens_that_are_not_good(world: World) -> None:
    ops = world.operator()
    old = ops.ask("POST", "tokens", {"days": 1e-9})["tokens"][0]
    time.sleep(0.01)
    dropped = ops.ask("POST", "tokens", {})["tokens"][0]
    ops.ask("DELETE", f"tokens/{dropped['id']}")
    for token in (old["token"], dropped["token"], "skt-x", ""):
        answer = world.enrol("a", token or " ")
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "token"


def test_a_name_that_is_taken_leaves_the_token_good(world: World) -> None:
    world.device("a")
    token = world.token()
    assert world.enrol("a", token).status_code == 409
    assert world.enrol("b", token).status_code == 200


def test_what_a_token_says_holds(world: World) -> None:
    token = world.token(channel="beta", group="ward", tags=["canary"])
    world.enrol("a", token, profile="phone-mid", tags=["own"])
    kept = world.operator().ask("GET", "devices/a")
    assert (kept["channel"], kept["group"], kept["tags"]) == ("beta", "ward", ["canary", "own"])
    assert kept["profile"] == "phone-mid"


def test_a_key_is_enrolled_by_whoever_has_it(world: World) -> None:
    """Somebody else's public key cannot be enrolled."""
    mine, theirs = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = theirs.public_key().public_bytes_raw().hex()
    body = msgspec.json.encode({"token": world.token(), "name": "a", "public_key": public})
    headers = signing.sign(mine, public, "POST", "/v1/enroll", body, created=int(time.time()))
    assert world.client.post("/v1/enroll", content=body, headers=headers).status_code == 401


def test_what_a_device_says_is_kept(world: World) -> None:
    device = world.device("a")
    device.checkin()
    kept = world.until(lambda: _seen(world, "a"))
    assert (kept["digest"], kept["version"], kept["free_bytes"]) == (device.digest, "1", 10)
    counts = world.operator().ask("GET", "devices/counts")["counts"]
    assert counts == [{"channel": "stable", "version": "1", "devices": 1}]


def _seen(world: World, name: str) -> Any:
    kept = world.operator().ask("GET", f"devices/{name}")
    return kept if kept["seen_at"] else None


def test_a_revoked_device_is_nobody(world: World) -> None:
    device = world.device("a")
    world.operator().ask("DELETE", f"devices/{device.id}")
    answer = world.until(lambda: (found := device.post("checkin", _facts(device)))
                         .status_code == 403 and found)  # fmt: skip
    assert answer.json()["error"]["code"] == "revoked"
    world.operator().ask("DELETE", f"devices/{device.id}", status=404)
    assert world.device("a").checkin() is None  # its name is free again


def test_requests_that_are_replayed_or_changed(world: World) -> None:
    device, other = world.device("a"), world.device("b")
    body = _facts(device)
    good = signing.sign(
        device.key, device.id, "POST", "/v1/checkin", body, created=int(time.time())
    )
    ask = world.client.post
    assert ask("/v1/checkin", content=body, headers=good).status_code == 200
    answer = ask("/v1/checkin", content=body, headers=good)
    assert answer.json()["error"]["code"] == "signature_replayed"
    fresh = signing.sign(
        device.key, device.id, "POST", "/v1/checkin", body, created=int(time.time())
    )
    changed = {
        "body": ("/v1/checkin", _facts(other), fresh, "signature_digest"),
        "path": ("/v1/reports", body, fresh, "signature_wrong"),
        "whose": (
            "/v1/checkin", body,
            {**fresh, "signature-input": fresh["signature-input"].replace(device.id, other.id)},
            "signature_wrong",
        ),
        "unknown": (
            "/v1/checkin", body,
            {**fresh, "signature-input": fresh["signature-input"].replace(device.id, "nobody")},
            "unknown_device",
        ),
        "form": (
            "/v1/checkin", body,
            {**fresh, "signature-input": fresh["signature-input"].replace('"@method" ', "")},
            "signature_malformed",
        ),
        "none": ("/v1/checkin", body, {}, "signature_missing"),
    }  # fmt: skip
    for path, content, headers, code in changed.values():
        answer = ask(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


@pytest.mark.parametrize("off", [-signing.WINDOW_S - 5, signing.WINDOW_S + 5])
def test_another_time_is_refused_with_the_servers(world: World, off: int) -> None:
    device = world.device("a")
    answer = device.post("checkin", _facts(device), at=time.time() + off)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_time")


def test_facts_of_another_device(world: World) -> None:
    device, other = world.device("a"), world.device("b")
    answer = device.post("checkin", _facts(other))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "other_device")


BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "nothing": b"{}",
    "deep": b"[" * 10_000,
    "no UTF-8": b'{"device": "\xff"}',
    "negative": b'{"device": "d", "free_bytes": -1}',
    "huge number": b'{"device": "d", "free_bytes": 1e999}',
    "digest": b'{"device": "d", "digest": "../../etc"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_are_none(world: World, body: bytes) -> None:
    device = world.device("a")
    for path in ("checkin", "reports"):
        answer = device.post(path, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_body")


def test_a_body_that_is_too_large(world: World) -> None:
    device = world.device("a")
    assert device.post("checkin", b" " * 20_000).status_code == 413


def test_a_report_of_an_offer_that_was_never_made(world: World) -> None:
    device = world.device("a")
    for offer in ("none:1", "x", ":", "none:back"):
        body = {"offer": offer, "digest": "2" * 64, "stage": "confirmed"}
        assert device.post("reports", msgspec.json.encode(body)).status_code == 404


def test_health_metrics_and_openapi(world: World) -> None:
    device = world.device("a")
    device.checkin()
    assert world.client.get("/health").json() == {"status": "ok"}
    assert world.client.get("/metrics").status_code == 401
    headers = {"authorization": f"Bearer {world.operator().key}"}
    text = world.client.get("/metrics", headers=headers).text
    assert 'skerry_fleet_requests_total{route="checkin",status="200"} 1.0' in text
    assert device.id not in text
    paths = world.client.get("/openapi.json").json()["paths"]
    assert {"/v1/checkin", "/v1/reports", "/v1/enroll", "/v1/rollouts/{rollout}/halt"} <= set(paths)
