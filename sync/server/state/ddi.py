"""Tokens of DDI devices and gateways, and artifacts with their hashes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from skerry.sync.hawkbit.tar import Hashes
from skerry.sync.rollouts.plan import Version
from skerry.sync.rollouts.states import TargetState
from skerry.sync.server.state.sql import Database

_KEPT_S = 90 * 86_400.0


@dataclass(frozen=True, slots=True)
class DdiToken:
    """`device` is the id of one device (TargetToken); of a GatewayToken it is empty, and devices
    that nobody knows yet are enrolled on its channel and group."""

    digest: str
    tenant: str
    device: str
    channel: str
    group: str
    made_at: float


@dataclass(frozen=True, slots=True)
class Artifact:
    """The tar of a version with what was signed when it was first asked for: its
    bytes stay the same, so that a download can go on, also after something was signed anew."""

    key: str
    version: Version
    hashes: Hashes
    signed: Mapping[str, bytes]


class DdiStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add_token(self, token: DdiToken) -> None:
        """A device has one at a time."""
        with self._database.transaction() as execute:
            if token.device:
                execute("DELETE FROM ddi_tokens WHERE device = ?", (token.device,))
            execute(
                "INSERT INTO ddi_tokens VALUES (?, ?, ?, ?, ?, ?)",
                (token.digest, token.tenant, token.device, token.channel, token.group,
                 token.made_at),
            )  # fmt: skip

    def token(self, digest: str, tenant: str) -> DdiToken | None:
        rows = self._database.do(
            "SELECT digest, tenant, device, channel, fleet_group, made_at FROM ddi_tokens"
            " WHERE digest = ? AND tenant = ?",
            (digest, tenant),
        )
        return DdiToken(*rows[0]) if rows else None

    def artifact(self, key: str) -> Artifact | None:
        rows = self._database.do(
            "SELECT hashes, signed, target, version, digest FROM ddi_artifacts WHERE id = ?",
            (key,),
        )
        if not rows:
            return None
        hashes, content, *version = rows[0]
        signed = {name: base64.b64decode(one) for name, one in json.loads(content).items()}
        return Artifact(key, Version(*version), Hashes(**json.loads(hashes)), signed)

    def add_artifact(self, one: Artifact, now: float) -> None:
        """The first one of a key stays; those of long ago go."""
        content = {name: base64.b64encode(part).decode() for name, part in one.signed.items()}
        hashes, version = json.dumps(asdict(one.hashes)), one.version
        with self._database.transaction() as execute:
            execute("DELETE FROM ddi_artifacts WHERE made_at < ?", (now - _KEPT_S,))
            execute(
                "INSERT INTO ddi_artifacts VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (id) DO NOTHING",
                (one.key, hashes, json.dumps(content), version.target, version.version,
                 version.digest, now),
            )  # fmt: skip

    def under_way(self, device: str) -> list[tuple[str, int]]:
        """Rollouts, and attempts, that a device was told to take and has not settled."""
        rows = self._database.do(
            "SELECT rollout, attempt FROM targets WHERE device = ? AND state = ?",
            (device, TargetState.PENDING),
        )
        return [(rollout, attempt) for rollout, attempt in rows]

    def cancel(self, device: str, rollout: str, now: float) -> None:
        """The device stopped what it was told."""
        self._database.do(
            "UPDATE targets SET state = ?, settled_at = ?, what = 'canceled'"
            " WHERE rollout = ? AND device = ? AND state = ?",
            (TargetState.ERROR, now, rollout, device, TargetState.PENDING),
        )
