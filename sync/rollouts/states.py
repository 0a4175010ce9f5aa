"""States of a rollout and of each device in it, by hawkBit's names.

https://eclipse.dev/hawkbit/features/#rollouts
"""

from __future__ import annotations

from enum import StrEnum


class RolloutState(StrEnum):
    """`CREATING`: gates are still open. `STARTING`: devices are being counted. `FINISHED`: every
    stage went well; who comes later still takes it, and it can still be stopped. `STOPPED` is the
    end: halted, refused, or taken back."""

    CREATING = "CREATING"
    WAITING_FOR_APPROVAL = "WAITING_FOR_APPROVAL"
    READY = "READY"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"

    @property
    def is_active(self) -> bool:
        """Whether it occupies its channel: another may not start beside it."""
        return self in (self.STARTING, self.RUNNING, self.PAUSED)

    @property
    def gives(self) -> bool:
        """Whether devices are told to take the version."""
        return self in (self.RUNNING, self.FINISHED)


class TargetState(StrEnum):
    """`UNKNOWN`: not of this rollout. `REGISTERED`: its stage has not begun. `PENDING`: told to
    take it. `IN_SYNC`: took it, and it proved itself. `ERROR`: it failed, or went back."""

    UNKNOWN = "UNKNOWN"
    REGISTERED = "REGISTERED"
    PENDING = "PENDING"
    IN_SYNC = "IN_SYNC"
    ERROR = "ERROR"
