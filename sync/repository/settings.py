"""`repository.json`: how long signatures are good for, where keys and the store are. No secrets."""

from __future__ import annotations

from pathlib import Path

import msgspec

from skerry.sync.durable import write_file
from skerry.sync.errors import RepositoryFault

SCHEMA = "skerry.sync.repository/1"
FILE = "repository.json"


class Expiry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days until signatures run out, by role.

    A device that was offline for longer than `timestamp` must reach the source before it takes an
    update; what it runs goes on running, whatever runs out. A medium that is carried to devices
    must arrive within it.
    """

    root: int = 365
    targets: int = 365
    channel: int = 180
    snapshot: int = 30
    timestamp: int = 14

    def days(self, role: str) -> int:
        """Days of a role; the roles of channels and device classes are `channel`."""
        return int(getattr(self, role, self.channel))


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `keys` has the URI of each key by its id; `store` is empty for `public/`."""

    schema: str = SCHEMA
    expiry_days: Expiry = Expiry()
    keys: dict[str, str] = {}
    store: str = ""


def read(folder: Path) -> Settings:
    """The settings of the repository in `folder`.

    Raises:
        RepositoryFault: there are none, or they cannot be used.
    """
    path = folder / FILE
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Settings)
    except OSError as error:
        what = f"there is no repository at '{folder}': {error.strerror}"
        raise RepositoryFault(what, hint="make one with `skerry sync init`") from None
    except msgspec.MsgspecError as error:
        raise RepositoryFault(f"'{path}' cannot be used: {error}", hint="mend the file") from None
    if found.schema != SCHEMA:
        what = f"'{path}' is of the schema '{found.schema[:64]}'; this version reads {SCHEMA}"
        raise RepositoryFault(what, hint="update Skerry")
    return found


def write(folder: Path, settings: Settings) -> None:
    """Puts the settings in their place; raises OSError."""
    data = msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n"
    write_file(folder / FILE, data)
