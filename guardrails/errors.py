"""The guardrails' errors.

```
GuardrailError
└── ScreenOverflow   the text is longer than a screen looks at
```

A guardrail that fails makes the gate withhold: the caller never sees an ungated text.
"""

from __future__ import annotations

from typing import ClassVar


class GuardrailError(Exception):
    """Root. `what` happened to which thing; `hint` is what to do next."""

    code: ClassVar[str] = "guardrail"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 8

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class ScreenOverflow(GuardrailError):
    code = "screen_overflow"
