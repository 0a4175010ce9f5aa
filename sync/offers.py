"""What a device is told to take, and what it tells of it: the contract between devices and fleets.

Plain records. `client` does the work behind them, and takes the newest target of a channel where
no server says otherwise (`client.latest`); a fleet server answers with offers of its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, Meta(max_length=300)]
Seconds = Annotated[float, Meta(ge=0, le=1e9)]


class Offer(Struct, frozen=True, kw_only=True):
    """A version of a bundle that a device is to run. It is a wish, not trust: what it names is
    taken only when the signed metadata of the repository names it, too.

    `target` is the path of the TUF target, `digest` that of its `bundle.json`, and `probation_s`
    how long the device watches the new bundle before it keeps it. With `mode` "shadow" the device
    goes on with what it has: the version answers beside it, unseen, and what is reported is how
    both compare.
    """

    id: Id
    target: Annotated[str, Meta(min_length=1, max_length=300)]
    version: Id
    digest: Sha256
    probation_s: Seconds = 0.0
    mode: Literal["update", "shadow"] = "update"


class Stage(StrEnum):
    """How far an update came on a device."""

    DOWNLOADING = "downloading"
    INSTALLED = "installed"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


class Report(Struct, frozen=True, kw_only=True):
    """What a device says of an offer. `what` is one line about the update, never text of users;
    `signals` are figures such as `health_score` and `crash_rate`."""

    offer: Id
    digest: Sha256
    stage: Stage
    what: Line = ""
    signals: dict[Id, float] = {}


class DeviceFacts(Struct, frozen=True, kw_only=True):
    """What a device says of itself when it asks; `digest` is empty where nothing is installed."""

    device: Id
    profile: Annotated[str, Meta(max_length=128)] = ""
    tags: Annotated[tuple[Id, ...], Meta(max_length=64)] = ()
    digest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    version: Annotated[str, Meta(max_length=128)] = ""
    free_bytes: Annotated[int, Meta(ge=0)] = 0


class Offers(Protocol):
    """Where offers come from."""

    @property
    def poll_after_s(self) -> float:
        """Seconds until the next `next` is welcome, before jitter."""
        ...

    def next(self, facts: DeviceFacts) -> Offer | None:
        """What the device should run now; None where it should go on as it is.

        Raises:
            SourceFault: nobody could be asked; the same may work later.
        """
        ...

    def report(self, report: Report) -> None:
        """Takes a report.

        Raises:
            SourceFault: it could not be delivered; the same may work later.
        """
        ...
