"""Devices in rollouts: what each was told, and what it said."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from skerry.sync.offers import Report, Stage
from skerry.sync.rollouts.plan import Plan
from skerry.sync.rollouts.rollout import Observed, Outcome
from skerry.sync.rollouts.states import TargetState
from skerry.sync.rollouts.targets import Told, after, marks
from skerry.sync.server.state.records import Target
from skerry.sync.server.state.sql import Database, Execute


@dataclass(frozen=True, slots=True)
class Telling:
    """A device that may be told an offer."""

    device: str
    offer: Told


@dataclass(frozen=True, slots=True)
class Saying:
    """A report of a device of `profile` about a rollout of `plan`."""

    device: str
    profile: str
    plan: Plan
    report: Report


@dataclass(slots=True)
class _Since:
    """What a batch did to each rollout."""

    offered: dict[str, Counter[int]] = field(default_factory=dict)
    retold: dict[str, Counter[int]] = field(default_factory=dict)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)

    def write(self, execute: Execute, now: float) -> None:
        for rollout in {*self.offered, *self.retold, *self.outcomes}:
            seen = Observed(
                now,
                dict(self.offered.get(rollout, {})),
                dict(self.retold.get(rollout, {})),
                tuple(self.outcomes.get(rollout, ())),
            )
            execute(
                "INSERT INTO happenings VALUES (?, ?, ?)",
                (secrets.token_hex(12), rollout, msgspec.json.encode(seen).decode()),
            )


_ADD = (
    "INSERT INTO targets VALUES (?, ?, ?, ?, ?, ?, NULL, '')"
    " ON CONFLICT (rollout, device) DO NOTHING RETURNING device"
)


def _values(one: Telling, now: float) -> tuple[object, ...]:
    offer = one.offer
    return offer.rollout, one.device, TargetState.PENDING, offer.stage, offer.attempt, now


class Targets:
    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, them: Sequence[Telling], now: float) -> list[tuple[TargetState, int]]:
        """The state of each device's target, and the attempt that it is of, now that it was told:
        PENDING where it takes the offer, ERROR where it failed and is not told again."""
        since, found = _Since(), dict[int, tuple[TargetState, int]]()
        order = sorted(range(len(them)), key=lambda i: them[i].device)
        with self._database.transaction() as execute:
            added = execute.many(_ADD, [_values(them[i], now) for i in order])
            for i, new in zip(order, added, strict=True):
                offer = them[i].offer
                if new:
                    since.offered.setdefault(offer.rollout, Counter())[offer.stage] += 1
                    found[i] = TargetState.PENDING, offer.attempt
                else:
                    found[i] = self._known(execute, offer, them[i].device, since, now)
            since.write(execute, now)
        return [found[i] for i in range(len(them))]

    def say(self, them: Sequence[Saying], now: float) -> None:
        """Takes reports; the same one twice counts once."""
        since = _Since()
        with self._database.transaction() as execute:
            for one in sorted(them, key=lambda one: one.device):
                self._say(execute, one, since, now)
            since.write(execute, now)

    def of(
        self, rollout: str, *, state: TargetState | None = None, after_id: str = "", most: int = 100
    ) -> list[Target]:
        """In the order of the devices' ids."""
        sql, values = "rollout = ? AND device > ?", [rollout, after_id]
        if state is not None:
            sql, values = f"{sql} AND state = ?", [*values, state]
        rows = self._database.do(
            "SELECT rollout, device, state, stage, attempt, offered_at, settled_at, what"
            f" FROM targets WHERE {sql} ORDER BY device LIMIT ?",
            [*values, most],
        )
        return [Target(one, device, TargetState(of), *rest) for one, device, of, *rest in rows]

    def _known(
        self, execute: Execute, offer: Told, device: str, since: _Since, now: float
    ) -> tuple[TargetState, int]:
        where = (offer.rollout, device)
        rows = execute(
            "SELECT state, attempt, stage FROM targets WHERE rollout = ? AND device = ?", where
        )
        state, attempt, stage = TargetState(rows[0][0]), rows[0][1], rows[0][2]
        if state is not TargetState.ERROR or attempt >= offer.attempt:
            return state, attempt
        changed = execute(
            "UPDATE targets SET state = ?, attempt = ?, offered_at = ? WHERE rollout = ?"
            " AND device = ? AND state = ? RETURNING device",
            (TargetState.PENDING, offer.attempt, now, *where, TargetState.ERROR),
        )
        if changed:
            since.retold.setdefault(offer.rollout, Counter())[stage] += 1
        return TargetState.PENDING, offer.attempt

    def _say(self, execute: Execute, one: Saying, since: _Since, now: float) -> None:
        rollout, report = one.plan.id, one.report
        rows = execute(
            "SELECT state, stage, settled_at FROM targets WHERE rollout = ? AND device = ?",
            (rollout, one.device),
        )
        if not rows:
            return
        state, stage, settled_at = TargetState(rows[0][0]), rows[0][1], rows[0][2]
        becomes = after(state, report.stage)
        if becomes is state:
            return
        changed = execute(
            "UPDATE targets SET state = ?, settled_at = ?, what = ? WHERE rollout = ?"
            " AND device = ? AND state = ? RETURNING device",
            (becomes, now, report.what, rollout, one.device, state),
        )
        if not changed:  # another process was told the same at the same time
            return
        outcome = Outcome(
            stage,
            one.profile,
            becomes is TargetState.IN_SYNC,
            again=state is TargetState.PENDING and settled_at is not None,
            late=state is TargetState.IN_SYNC,
            marks=self._marks(execute, one),
        )
        since.outcomes.setdefault(rollout, []).append(outcome)

    def _marks(self, execute: Execute, one: Saying) -> Mapping[str, int]:
        """How the device's signals compare with those under the version before, which they then
        take the place of."""
        report = one.report
        if report.stage is not Stage.CONFIRMED or not report.signals:
            return {}
        rows = execute("SELECT signals, signals_digest FROM devices WHERE id = ?", (one.device,))
        if not rows or rows[0][1] == report.digest:
            return {}
        execute(
            "UPDATE devices SET signals = ?, signals_digest = ? WHERE id = ?",
            (msgspec.json.encode(report.signals).decode(), report.digest, one.device),
        )
        before = msgspec.json.decode(rows[0][0], type=dict[str, float | None])
        known = {name: value for name, value in before.items() if value is not None}
        return marks(one.plan, known, report.signals)
