"""What goes wrong with tools.

```
EdgeError
└── ToolInvalid     a tool or the rules for tools cannot be used (a fault of whoever wrote them)
SoftFail            a tool says that what it was asked for is not there; no fault of anybody's
```

A call that is not allowed, does not fit or fails raises nothing: it has an `Outcome`.
"""

from __future__ import annotations

from typing import ClassVar

from skerry.edge.errors import EdgeError


class ToolInvalid(EdgeError):
    """Names the tool, and what of it."""

    code: ClassVar[str] = "tool_invalid"
    exit_code: ClassVar[int] = 3


class SoftFail(Exception):
    """Raised by a tool: there is no such thing. `what` is shown to the person as it is.

    The call ends as `not_found`; nothing was changed, and the circuit breaker does not count it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
