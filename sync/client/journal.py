"""Where an update stands, on disk before each step, so that a stop at any instruction is recovered.

Plain records; `client` decides. A journal that is damaged is made anew from what is on the disk.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from skerry.sync.client.kept import seal, unseal
from skerry.sync.durable import write_file
from skerry.sync.offers import Offer, Report

_MOST_REFUSED = 64
_MOST_REPORTS = 64


class Phase(StrEnum):
    """What was being done. Only in PROBATION has `current` been switched to the new slot for good;
    in SWITCHING and REVERTING the link itself says whether it was."""

    IDLE = "idle"
    FETCHING = "fetching"
    BUILDING = "building"
    CHECKING = "checking"
    SWITCHING = "switching"
    PROBATION = "probation"
    REVERTING = "reverting"


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """What a slot holds."""

    target: str = ""
    version: str = ""
    digest: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that this device does not try again by itself, and why. `offer` is the id of the
    offer that brought it."""

    digest: str
    why: str
    offer: str = ""

    def holds_for(self, offer: str) -> bool:
        """Whether it is still refused; a further attempt of the same rollout (`ID:2` after `ID`) is
        what an operator asked for."""
        rollout = self.offer.partition(":")[0]
        return not rollout or offer == self.offer or offer.partition(":")[0] != rollout


class Journal(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. Times are Unix seconds.

    `slot` is where `offer` goes, `previous` where a way back is (empty where there is none).
    `starts` and `ends` count runtimes that began and closed in order while on probation;
    `tries` counts health checks of the offer that were begun.
    """

    phase: Phase = Phase.IDLE
    offer: Offer | None = None
    slot: str = ""
    previous: str = ""
    until: float = 0.0
    starts: int = 0
    ends: int = 0
    tries: int = 0
    why: str = ""
    slots: dict[str, Installed] = {}
    refused: tuple[Refused, ...] = ()
    reports: Annotated[tuple[Report, ...], msgspec.Meta(max_length=_MOST_REPORTS)] = ()
    polled: float = 0.0
    failures: int = 0
    day: str = ""
    day_bytes: int = 0

    def changed(self, **fields: object) -> Journal:
        """The same with other values."""
        return msgspec.structs.replace(self, **fields)

    def refusing(self, digest: str, why: str, offer: str = "") -> Journal:
        """The same, with a bundle that is not tried again; the oldest go beyond 64."""
        kept = tuple(one for one in self.refused if one.digest != digest)
        refused = Refused(digest=digest, why=why, offer=offer)
        return self.changed(refused=(*kept, refused)[-_MOST_REFUSED:])

    def reporting(self, report: Report) -> Journal:
        """The same, with a report to be delivered; the oldest go beyond 64."""
        return self.changed(reports=(*self.reports, report)[-_MOST_REPORTS:])


def read(path: Path) -> Journal | None:
    """The journal; None where there is none that is whole."""
    try:
        body = unseal(path.read_bytes(), path.name)
        return None if body is None else msgspec.json.decode(body, type=Journal)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return None


def write(path: Path, journal: Journal) -> None:
    """Puts it in its place in one step; raises OSError, and what was there is there."""
    write_file(path, seal(msgspec.json.encode(journal), path.name))
