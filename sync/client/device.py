"""The folder of a device: what it was enrolled with, and where its parts lie.

```
device.json      where updates come from, and the rules for taking them
trust/           the enrolled root, and metadata that was accepted
objects/         content by digest, shared by both slots; incoming/ has what is on its way
slots/a, slots/b bundles
current          a link to one of them
journal          how far an update came
```
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from skerry.sync.client.kept import keep, recall
from skerry.sync.durable import make_folder
from skerry.sync.errors import DeviceFault
from skerry.sync.offers import Id, Seconds

SCHEMA = "skerry.sync.device/1"
_POSITIVE = msgspec.Meta(ge=0)


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When, and how fast, a device may download; 0 is no limit.

    `hours` is `HH:MM-HH:MM` of local time, several separated by commas; empty is always. On a
    metered network nothing larger than `metered_bytes` is fetched.
    """

    bytes_per_s: Annotated[int, _POSITIVE] = 0
    bytes_per_day: Annotated[int, _POSITIVE] = 0
    hours: str = ""
    metered_bytes: Annotated[int, _POSITIVE] = 0


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `device.json`. `server` is empty where the channel's latest version is taken."""

    schema: str = SCHEMA
    device: Id
    source: str
    channel: str
    bundle: str
    profile: str = ""
    tags: tuple[Id, ...] = ()
    server: str = ""
    poll_s: Seconds = 6 * 3600.0
    probation_s: Seconds = 24 * 3600.0
    rules: Rules = Rules()


class Device:
    """The places below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.slots = folder / "slots"
        self.objects = folder / "objects"
        self.incoming = folder / "objects" / "incoming"
        self.current = folder / "current"
        self.journal = folder / "journal"
        self.metadata = folder / "trust" / "metadata"
        self.root = folder / "trust" / "root.json"
        self.lock = folder / ".lock"
        self.file = folder / "device.json"

    @property
    def enrolled(self) -> bool:
        return self.file.exists() or self.file.with_name(f"{self.file.name}.copy").exists()

    def enrolment(self) -> Enrolment:
        """What the device was enrolled with.

        Raises:
            DeviceFault: it was not, or both copies are damaged.
        """
        data = recall(self.file)
        if data is None:
            what = f"no device is enrolled at '{self.folder}'"
            raise DeviceFault(what, hint="run `skerry sync enroll`")
        try:
            found = msgspec.json.decode(data, type=Enrolment)
        except msgspec.MsgspecError as error:
            raise DeviceFault(f"'{self.file}' cannot be used: {error}") from None
        if found.schema != SCHEMA:
            what = f"'{self.file}' is of the schema '{found.schema[:64]}'"
            raise DeviceFault(what, hint="update Skerry")
        return found

    def trusted_root(self) -> bytes:
        """The root that was enrolled; raises DeviceFault where both copies are damaged."""
        data = recall(self.root)
        if data is None:
            what = f"the root of trust '{self.root}' is damaged"
            raise DeviceFault(what, hint="enrol the device again, with the operator's root.json")
        return data

    def enrol(self, enrolment: Enrolment, root: bytes) -> None:
        """Makes the folder, or changes what the device was enrolled with; bundles stay.

        Raises:
            OSError: it cannot be written.
        """
        for folder in (self.slots, self.incoming, self.metadata):
            make_folder(folder)
        keep(self.root, root)
        self.save(enrolment)

    def save(self, enrolment: Enrolment) -> None:
        keep(self.file, msgspec.json.encode(enrolment))


Slot = Literal["a", "b"]
