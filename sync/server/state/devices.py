"""Enrolment tokens and devices."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from skerry.sync.rollouts.cohorts import Device
from skerry.sync.server.errors import Refusal
from skerry.sync.server.state.records import Enrolled, Seen, Token
from skerry.sync.server.state.sql import Database

_OF_ENROLMENT = (
    "id, tenant, digest, channel, fleet_group, tags, made_by, made_at, expires_at, used_at, device"
)
_OF_DEVICE = (
    "id, tenant, name, public_key, profile, channel, fleet_group, tags, enrolled_at, revoked_at,"
    " seen_at, signed_at, digest, version, free_bytes"
)
_INSERT = (
    f"INSERT INTO devices ({_OF_DEVICE}, signals, signals_digest, changed_at)"
    f" VALUES ({', '.join('?' * 18)})"
)
_CHANGEABLE = {"name": "name", "channel": "channel", "group": "fleet_group", "tags": "tags"}
_CHUNK = 5_000


class Devices:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add_tokens(self, tokens: Sequence[Token]) -> None:
        with self._database.transaction() as execute:
            execute.many(
                f"INSERT INTO tokens ({_OF_ENROLMENT}) VALUES ({', '.join('?' * 11)})",
                [
                    (one.id, one.tenant, one.digest, one.channel, one.group, _text(one.tags),
                     one.made_by, one.made_at, one.expires_at, one.used_at, one.device)
                    for one in tokens
                ],
            )  # fmt: skip

    def tokens(self, tenant: str) -> list[Token]:
        rows = self._database.do(
            f"SELECT {_OF_ENROLMENT} FROM tokens WHERE tenant = ? ORDER BY made_at, id", (tenant,)
        )
        return [_token(row) for row in rows]

    def drop_token(self, tenant: str, token: str) -> bool:
        """Whether there was one that was not used yet."""
        sql = "DELETE FROM tokens WHERE tenant = ? AND id = ? AND used_at IS NULL RETURNING id"
        return bool(self._database.do(sql, (tenant, token)))

    def enrol(self, token_digest: str, device: Enrolled, now: float) -> Enrolled | None:
        """The device as it is kept, of the token's tenant; None: the token is not good.

        The same key with the same token again is the same device: an answer may be lost.

        Raises:
            Refusal: 409: the tenant has a device of that name. The token is still good.
        """
        with self._database.transaction() as execute:
            rows = execute(
                "UPDATE tokens SET used_at = ?, device = ? WHERE digest = ? AND used_at IS NULL"
                f" AND expires_at > ? RETURNING {_OF_ENROLMENT}",
                (now, device.id, token_digest, now),
            )
            if not rows:
                rows = execute(
                    f"SELECT {_OF_DEVICE} FROM devices WHERE public_key = ? AND revoked_at IS NULL"
                    " AND id = (SELECT device FROM tokens WHERE digest = ?)",
                    (device.public_key, token_digest),
                )
                return _device(rows[0]) if rows else None
            token = _token(rows[0])
            kept = replace(
                device,
                tenant=token.tenant,
                channel=token.channel,
                group=token.group,
                tags=token.tags | device.tags,
            )
            if execute(
                "SELECT 1 FROM devices WHERE tenant = ? AND name = ?", (kept.tenant, kept.name)
            ):
                what = f"there is a device '{kept.name}' already"
                raise Refusal(409, "name_taken", what, hint="revoke it, or take another name")
            execute(_INSERT, _row(kept, now))
            return kept

    def add(self, device: Enrolled, now: float) -> Enrolled:
        """A device that an operator, or a gateway of the tenant, answers for; the one that is there
        where there is one of that name."""
        with self._database.transaction() as execute:
            execute(f"{_INSERT} ON CONFLICT (tenant, name) DO NOTHING", _row(device, now))
            rows = execute(
                f"SELECT {_OF_DEVICE} FROM devices WHERE tenant = ? AND name = ?",
                (device.tenant, device.name),
            )
        return _device(rows[0])

    def by_id(self, ids: Sequence[str]) -> dict[str, Enrolled]:
        """Devices of any tenant, for those whose signature is still to be checked."""
        with self._database.transaction() as execute:
            found = execute.many(
                f"SELECT {_OF_DEVICE} FROM devices WHERE id = ?", [(one,) for one in ids]
            )
        return {rows[0][0]: _device(rows[0]) for rows in found if rows}

    def get(self, tenant: str, device: str) -> Enrolled | None:
        sql = f"SELECT {_OF_DEVICE} FROM devices WHERE tenant = ? AND id = ?"
        rows = self._database.do(sql, (tenant, device))
        return _device(rows[0]) if rows else None

    def named(self, tenant: str, name: str) -> Enrolled | None:
        sql = f"SELECT {_OF_DEVICE} FROM devices WHERE tenant = ? AND name = ?"
        rows = self._database.do(sql, (tenant, name))
        return _device(rows[0]) if rows else None

    def page(
        self, tenant: str, *, after: str = "", most: int = 100, channel: str = "", group: str = ""
    ) -> list[Enrolled]:
        """In the order of their ids, from the one after `after` on."""
        sql, values = "tenant = ? AND id > ?", [tenant, after]
        for column, value in (("channel", channel), ("fleet_group", group)):
            if value:
                sql, values = f"{sql} AND {column} = ?", [*values, value]
        rows = self._database.do(
            f"SELECT {_OF_DEVICE} FROM devices WHERE {sql} ORDER BY id LIMIT ?", [*values, most]
        )
        return [_device(row) for row in rows]

    def of_channel(self, tenant: str, channel: str) -> Iterator[Device]:
        """Every device of a channel that was not revoked, a few thousand at a time."""
        after = ""
        while True:
            rows = self._database.do(
                "SELECT id, profile, fleet_group, tags, digest, enrolled_at FROM devices"
                " WHERE tenant = ? AND channel = ? AND id > ? AND revoked_at IS NULL"
                " ORDER BY id LIMIT ?",
                (tenant, channel, after, _CHUNK),
            )
            for one, profile, group, tags, digest, at in rows:
                yield Device(one, profile, group, _set(tags), digest, at)
            if len(rows) < _CHUNK:
                return
            after = rows[-1][0]

    def change(
        self, tenant: str, device: str, wanted: Mapping[str, Any], now: float
    ) -> Enrolled | None:
        """Sets `name`, `channel`, `group`, `tags`; None: the tenant has no such device."""
        values = {
            _CHANGEABLE[name]: _text(value) if name == "tags" else value
            for name, value in wanted.items()
        }
        sets = ", ".join(f"{column} = ?" for column in (*values, "changed_at"))
        sql = f"UPDATE devices SET {sets} WHERE tenant = ? AND id = ? RETURNING {_OF_DEVICE}"
        rows = self._database.do(sql, (*values.values(), now, tenant, device))
        return _device(rows[0]) if rows else None

    def revoke(self, tenant: str, device: str, now: float) -> bool:
        """Whether there was one that was not revoked before. Its name is free again."""
        sql = (
            "UPDATE devices SET revoked_at = ?, changed_at = ?, name = name || '#' || id"
            " WHERE tenant = ? AND id = ? AND revoked_at IS NULL RETURNING id"
        )
        return bool(self._database.do(sql, (now, now, tenant, device)))

    def changed(self, since: float) -> list[str]:
        """Those that an operator changed since."""
        sql = "SELECT id FROM devices WHERE changed_at >= ?"
        return [one for (one,) in self._database.do(sql, (since,))]

    def seen(self, them: Sequence[Seen]) -> None:
        """What devices said of themselves; not what is older than what they said already."""
        with self._database.transaction() as execute:
            execute.many(
                "UPDATE devices SET seen_at = ?, signed_at = ?, profile = ?, digest = ?,"
                " version = ?, free_bytes = ? WHERE id = ? AND signed_at <= ?",
                [
                    (one.at, one.signed_at, one.profile, one.digest, one.version, one.free_bytes,
                     one.device, one.signed_at)
                    for one in sorted(them, key=lambda one: one.device)
                ],
            )  # fmt: skip

    def counted(self, tenant: str) -> list[tuple[str, str, int]]:
        """Channel, version and how many devices of it are in use."""
        return [
            (channel, version, count)
            for channel, version, count in self._database.do(
                "SELECT channel, version, COUNT(*) FROM devices WHERE tenant = ?"
                " AND revoked_at IS NULL GROUP BY channel, version ORDER BY channel, version",
                (tenant,),
            )
        ]


def _text(tags: frozenset[str]) -> str:
    return json.dumps(sorted(tags))


def _set(text: str) -> frozenset[str]:
    return frozenset(json.loads(text)) if text != "[]" else frozenset()


def _token(row: Sequence[Any]) -> Token:
    return Token(*(*row[:5], _set(row[5]), *row[6:]))


def _device(row: Sequence[Any]) -> Enrolled:
    return Enrolled(*(*row[:7], _set(row[7]), *row[8:]))


def _row(one: Enrolled, now: float) -> tuple[Any, ...]:
    return (*_values(one), "{}", "", now)


def _values(one: Enrolled) -> tuple[Any, ...]:
    return (
        one.id, one.tenant, one.name, one.public_key, one.profile, one.channel, one.group,
        _text(one.tags), one.enrolled_at, one.revoked_at, one.seen_at, one.signed_at, one.digest,
        one.version, one.free_bytes,
    )  # fmt: skip
