"""Operators and devices that ask a server as real ones do."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from skerry.sync.offers import DeviceFacts, Report, Stage
from skerry.sync.server.app import Server
from skerry.sync.server.roles import Role, made
from skerry.sync.server.signing import sign

OLD, NEW = "1" * 64, "2" * 64
VERSION = {"target": "stable/clinic/2/bundle.json", "version": "2", "digest": NEW}
PREVIOUS = {"target": "stable/clinic/1/bundle.json", "version": "1", "digest": OLD}
ALL = [{"name": "all", "percent": 100}]
AT_ONCE = {"soak_s": 0, "patience_s": 60, "settled_share": 1.0}
FREE = {"gates": [], "approvals": 0, "stages": ALL, "limits": AT_ONCE, "previous": PREVIOUS}


@dataclass
class Operator:
    client: TestClient
    key: str

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        headers = {"authorization": f"Bearer {self.key}"}
        answer = self.client.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def plan(self, *, status: int = 200, **given: Any) -> Any:
        return self.ask("POST", "rollouts", {"version": VERSION, **FREE, **given}, status=status)

    def started(self, **given: Any) -> str:
        one: str = self.plan(**given)["id"]
        self.ask("POST", f"rollouts/{one}/start")
        return one


@dataclass
class Device:
    client: TestClient
    key: Ed25519PrivateKey
    id: str
    digest: str = OLD
    profile: str = "phone"

    def post(self, path: str, body: bytes, **given: Any) -> Any:
        created = int(given.pop("at", time.time()))
        headers = sign(self.key, self.id, "POST", f"/v1/{path}", body, created=created)
        return self.client.post(f"/v1/{path}", content=body, headers={**headers, **given})

    def checkin(self) -> dict[str, Any] | None:
        facts = DeviceFacts(
            device=self.id, profile=self.profile, digest=self.digest, version="1", free_bytes=10
        )
        answer = self.post("checkin", msgspec.json.encode(facts))
        assert answer.status_code == 200, answer.text
        offer: dict[str, Any] | None = answer.json()["offer"]
        return offer

    def report(
        self, offer: dict[str, Any], stage: Stage, *, status: int = 200, **signals: float
    ) -> Any:
        said = Report(offer=offer["id"], digest=offer["digest"], stage=stage, signals=signals)
        answer = self.post("reports", msgspec.json.encode(said))
        assert answer.status_code == status, answer.text
        if stage is Stage.CONFIRMED:
            self.digest = offer["digest"]
        return answer.json()


@dataclass
class World:
    client: TestClient
    server: Server
    _keys: dict[tuple[str, str, Role], Operator] = field(default_factory=dict)

    def operator(
        self, role: Role = Role.OPERATOR, *, person: str = "ada", tenant: str = "clinic"
    ) -> Operator:
        wanted = (tenant, person, role)
        if wanted not in self._keys:
            key, kept = made(tenant, person, role, time.time())
            self.server.fleet.people.add_key(kept)
            self._keys[wanted] = Operator(self.client, key)
        return self._keys[wanted]

    def token(self, *, tenant: str = "clinic", **given: Any) -> str:
        asked = self.operator(tenant=tenant).ask("POST", "tokens", given)
        token: str = asked["tokens"][0]["token"]
        return token

    def enrol(self, name: str, token: str | None = None, *, key: Any = None, **given: Any) -> Any:
        """The answer."""
        key = key or Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw().hex()
        body = msgspec.json.encode(
            {"token": token or self.token(), "name": name, "public_key": public, **given}
        )
        headers = sign(key, public, "POST", "/v1/enroll", body, created=int(time.time()))
        return self.client.post("/v1/enroll", content=body, headers=headers)

    def device(self, name: str, *, tenant: str = "clinic", **given: Any) -> Device:
        key = Ed25519PrivateKey.generate()
        answer = self.enrol(name, self.token(tenant=tenant, **given), key=key, profile="phone")
        assert answer.status_code == 200, answer.text
        return Device(self.client, key, answer.json()["device"])

    def until(self, holds: Callable[[], Any]) -> Any:
        for _ in range(400):
            if found := holds():
                return found
            time.sleep(0.02)
        raise AssertionError("it did not come to hold")
