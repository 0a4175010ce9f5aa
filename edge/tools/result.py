"""How a call of a tool ended. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """Everything but `ok` means that the answer has nothing of the tool's result in it.

    `unknown` and `invalid`: no such tool, or arguments that do not fit its schema. `unclear`: the
    request says too little. `not_said`: a model named a value that the request does not have.
    `not_found`: the tool has no such thing. `not_allowed`: not for this role. `not_confirmed`:
    nobody agreed. `over_budget`, `circuit_open`: not tried. `failed`, `timed_out`: tried in vain.
    `withheld`: its result gives orders to the model, or has no end.
    """

    OK = "ok"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    UNCLEAR = "unclear"
    NOT_SAID = "not_said"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    NOT_CONFIRMED = "not_confirmed"
    OVER_BUDGET = "over_budget"
    CIRCUIT_OPEN = "circuit_open"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Result:
    """A call and its end. `text` is what may be told of it; `value` what the function returned.

    `arguments` are those it was called with, as JSON values. `ms` is the time of the function
    alone, 0 where it did not run. `confirmed`: a person agreed to exactly this.
    """

    tool: str
    arguments: Mapping[str, Any]
    outcome: Outcome
    text: str
    ms: float = 0.0
    confirmed: bool = False
    value: Any = field(default=None, repr=False, compare=False)

    @property
    def ok(self) -> bool:
        return self.outcome is Outcome.OK
