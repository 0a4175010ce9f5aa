"""What an examination found: plain data that a command line draws and `--json` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from skerry.device_profiles import Fit, Machine, Profile

SCHEMA = "skerry.doctor/1"
THIS_MACHINE = "this machine"


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `hint` says what to do; empty when there is nothing to do."""

    name: str
    status: Status
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ModelFits:
    """One known model on every device: this machine as it is now, and each profile, by name.

    `problem` says why its file cannot be read; `fits` is empty then.
    """

    model: str
    fits: dict[str, Fit]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `skerry doctor` shows. `machine` and `profile` are None if probing failed."""

    checks: tuple[Check, ...]
    machine: Machine | None
    profile: Profile | None
    models: tuple[ModelFits, ...]

    @property
    def status(self) -> Status:
        """The worst of the checks."""
        found = {check.status for check in self.checks}
        return next((status for status in (Status.FAIL, Status.WARN) if status in found), Status.OK)

    def as_json(self) -> dict[str, Any]:
        """The report for `json.dumps`; `schema` names the contract and its version."""
        return {"schema": SCHEMA, "status": self.status, **asdict(self)}
