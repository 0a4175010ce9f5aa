"""Refusals of the gateway, in OpenAI's shape.

```
CloudTierError
├── GatewayConfigError   the file of settings is wrong (names file, line and key)
├── StateError           keys and usage cannot be read or written
└── Refusal              a request that gets no answer: an HTTP status, and when to come back
```

Shape: {"error": {"message", "type", "param", "code"}}
(https://platform.openai.com/docs/guides/error-codes).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from skerry.cloud.errors import CloudTierError

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class GatewayConfigError(CloudTierError):
    code = "config"
    exit_code = 3


class StateError(CloudTierError):
    code = "state"
    exit_code = 5


class Refusal(CloudTierError):
    """`retry_s`: seconds after which the same request may be taken; None says nothing of it."""

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        *,
        hint: str = "",
        param: str | None = None,
        retry_s: float | None = None,
    ) -> None:
        super().__init__(what, hint=hint)
        self.status, self.code, self.param, self.retry_s = status, code, param, retry_s

    def body(self) -> dict[str, Any]:
        fallback = "server_error" if self.status >= 500 else "invalid_request_error"
        kind = _TYPES.get(self.status, fallback)
        return {
            "error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        }

    def json(self) -> bytes:
        return msgspec.json.encode(self.body())

    def headers(self) -> list[tuple[bytes, bytes]]:
        found = [(b"content-type", b"application/json")]
        if self.retry_s is not None:
            found.append((b"retry-after", b"%d" % max(1, math.ceil(self.retry_s))))
        if self.status == 409 or self.code == "insufficient_quota":
            found.append((b"x-should-retry", b"false"))  # OpenAI's clients try 409 and 429 again
        if self.status == 401:
            found.append((b"www-authenticate", b"Bearer"))
        return found


def bad(what: str, param: str | None = None, code: str = "invalid_value") -> Refusal:
    """A field of the request is wrong."""
    return Refusal(400, code, what, param=param)


def stopping() -> Refusal:
    """Nobody new is let in, and what is under way ends."""
    what = "the gateway is stopping"
    return Refusal(503, "stopping", what, hint="ask again when it is back", retry_s=5)


def as_refusal(error: Exception) -> Refusal:
    """What a client is told of `error`; of one that nobody foresaw, only its kind, since its text
    may quote what somebody asked."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, StateError):  # its words name files
        return Refusal(503, error.code, "keys and usage cannot be read now", retry_s=10)
    if isinstance(error, CloudTierError):
        return Refusal(500, error.code, error.what, hint=error.hint)
    return Refusal(500, "internal", f"an unexpected fault ({type(error).__name__})")
