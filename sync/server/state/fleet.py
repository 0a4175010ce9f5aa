"""The state as a whole; each part has its own SQL over one database."""

from __future__ import annotations

from skerry.sync.server.state.ddi import DdiStore
from skerry.sync.server.state.devices import Devices
from skerry.sync.server.state.people import People
from skerry.sync.server.state.rollouts import Rollouts
from skerry.sync.server.state.sql import Database
from skerry.sync.server.state.targets import Targets


class Fleet:
    """Blocks; called from a thread. Every method of its parts raises FleetStateError.

    Whatever is asked for a tenant is looked for within that tenant: one's ids are nothing to
    another.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.people = People(database)
        self.devices = Devices(database)
        self.rollouts = Rollouts(database)
        self.targets = Targets(database)
        self.ddi = DdiStore(database)

    def close(self) -> None:
        """May be called twice."""
        self._database.close()
