"""Rollouts, as documents with a revision, and what happened to each since it was last written.

Processes add what devices did as happenings; any of them folds those into the rollout, in one
transaction that takes them away, so that each counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from skerry.sync.rollouts.plan import Mode
from skerry.sync.rollouts.rollout import Observed, Rollout
from skerry.sync.rollouts.states import RolloutState
from skerry.sync.server.errors import Refusal
from skerry.sync.server.state.sql import Database, Execute

Change = Callable[[Rollout, list[Observed]], Rollout]


@dataclass(frozen=True, slots=True)
class Kept:
    """A rollout of a tenant. `revision` grows with every change."""

    tenant: str
    made_at: float
    revision: int
    rollout: Rollout


class Rollouts:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, tenant: str, rollout: Rollout, now: float) -> None:
        """Raises FleetStateError: also where there is one of that id."""
        plan = rollout.plan
        self._database.do(
            "INSERT INTO rollouts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (plan.id, tenant, plan.channel, now, 1, rollout.state, 0, _written(rollout)),
        )

    def get(self, tenant: str, rollout: str) -> Kept | None:
        found = self._found("tenant = ? AND id = ?", (tenant, rollout))
        return found[0] if found else None

    def of(self, tenant: str, *, most: int = 100) -> list[Kept]:
        """The newest first."""
        return self._found("tenant = ?", (tenant,), most)

    def finished_before(self, tenant: str, channel: str) -> Rollout | None:
        """The newest of a channel that reached everybody."""
        state = RolloutState.FINISHED
        found = self._found("tenant = ? AND channel = ? AND state = ?", (tenant, channel, state))
        fitting = (kept.rollout for kept in found if kept.rollout.plan.mode is Mode.UPDATE)
        return next(fitting, None)

    def revisions(self) -> dict[str, int]:
        """Of all rollouts that were started, of any tenant."""
        rows = self._database.do("SELECT id, revision FROM rollouts WHERE started = 1")
        return {one: int(revision) for one, revision in rows}

    def by_id(self, rollout: str) -> Kept | None:
        """Of any tenant, for servers."""
        found = self._found("id = ?", (rollout,))
        return found[0] if found else None

    def waiting(self) -> list[str]:
        """Those that time or happenings may change."""
        active = (RolloutState.STARTING, RolloutState.RUNNING)
        rows = self._database.do(
            "SELECT id FROM rollouts WHERE state IN (?, ?) UNION SELECT rollout FROM happenings",
            active,
        )
        return [one for (one,) in rows]

    def change(self, tenant: str | None, rollout: str, change: Change) -> Kept | None:
        """Puts a rollout through `change`, with what happened since, and nobody else at the same
        time; None: the tenant has none of that id. What `change` raises changes nothing.

        Raises:
            Refusal: 409: it was started beside another of its channel.
        """
        with self._database.transaction() as execute:
            sql, values = "UPDATE rollouts SET revision = revision + 1 WHERE id = ?", [rollout]
            if tenant is not None:
                sql, values = f"{sql} AND tenant = ?", [rollout, tenant]
            rows = execute(f"{sql} RETURNING tenant, made_at, revision, document", values)
            if not rows:
                return None
            owner, made_at, revision, document = rows[0]
            before = _read(document)
            seen = execute("DELETE FROM happenings WHERE rollout = ? RETURNING document", [rollout])
            after = change(before, [msgspec.json.decode(one, type=Observed) for (one,) in seen])
            if after == before and not seen:
                execute("UPDATE rollouts SET revision = revision - 1 WHERE id = ?", [rollout])
                return Kept(owner, made_at, revision - 1, before)
            if after.state.is_active and not before.state.is_active:
                _check_alone(execute, owner, after)
            started = int(after.started_at is not None)
            execute(
                "UPDATE rollouts SET state = ?, started = ?, document = ? WHERE id = ?",
                (after.state, started, _written(after), rollout),
            )
            return Kept(owner, made_at, revision, after)

    def _found(self, where: str, values: tuple[str, ...], most: int = 100) -> list[Kept]:
        rows = self._database.do(
            "SELECT tenant, made_at, revision, document FROM rollouts"
            f" WHERE {where} ORDER BY made_at DESC, id DESC LIMIT ?",
            (*values, most),
        )
        return [Kept(tenant, at, revision, _read(text)) for tenant, at, revision, text in rows]


def _check_alone(execute: Execute, tenant: str, rollout: Rollout) -> None:
    states = (RolloutState.STARTING, RolloutState.RUNNING, RolloutState.PAUSED)
    others = execute(
        "SELECT id FROM rollouts WHERE tenant = ? AND channel = ? AND id <> ?"
        " AND state IN (?, ?, ?)",
        (tenant, rollout.plan.channel, rollout.plan.id, *states),
    )
    if others:
        what = f"the rollout '{others[0][0]}' of this channel is under way"
        raise Refusal(409, "channel_busy", what, hint="halt it, or wait until it is finished")


def _written(rollout: Rollout) -> str:
    return msgspec.json.encode(rollout).decode()


def _read(document: str) -> Rollout:
    return msgspec.json.decode(document, type=Rollout)
