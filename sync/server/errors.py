"""What can go wrong in the fleet server.

```
SyncError
├── FleetStateError   the database cannot be used
├── SignatureFault    a request of a device is not signed as it should be
└── Refusal           a request that gets no answer: an HTTP status, and what is wrong
```
"""

from __future__ import annotations

import math

import msgspec

from skerry.sync.errors import SyncError
from skerry.sync.rollouts.errors import NotAllowed, RolloutError


class FleetStateError(SyncError):
    code = "fleet_state"
    exit_code = 5
    retryable = True


class SignatureFault(SyncError):
    """`reason` is for programs: `missing`, `malformed`, `time`, `digest`, `replayed`, `wrong`."""

    code = "signature"

    def __init__(self, reason: str, what: str, *, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.reason = reason


class Refusal(SyncError):
    """`name` is the code that the client is told. `retry_s`: when the same may be taken."""

    code = "refused"

    def __init__(
        self, status: int, name: str, what: str, *, hint: str = "", retry_s: float | None = None
    ) -> None:
        super().__init__(what, hint=hint)
        self.status, self.name, self.retry_s = status, name, retry_s

    def body(self) -> bytes:
        error = {"code": self.name, "what": self.what, "hint": self.hint}
        return msgspec.json.encode({"error": error})

    def headers(self) -> dict[str, str]:
        found = {"content-type": "application/json", "cache-control": "no-store"}
        if self.retry_s is not None:
            found["retry-after"] = str(max(1, math.ceil(self.retry_s)))
        if self.status == 401:
            found["www-authenticate"] = "Bearer"
        return found


def as_refusal(error: Exception) -> Refusal:
    """What a client is told of `error`; of one that nobody foresaw, only its kind."""
    match error:
        case Refusal():
            return error
        case SignatureFault():
            name = f"signature_{error.reason}"
            return Refusal(401, name, error.what, hint=error.hint)
        case FleetStateError():  # its words name files and hosts
            return Refusal(503, "state", "the fleet's state cannot be used now", retry_s=10)
        case NotAllowed():
            return Refusal(409, error.code, error.what, hint=error.hint)
        case RolloutError():
            return Refusal(400, error.code, error.what, hint=error.hint)
        case _:
            return Refusal(500, "internal", f"an unexpected fault ({type(error).__name__})")
