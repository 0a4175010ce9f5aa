"""Errors of device profiles.

```
ProfileError
├── ProfileNotFound   no profile of that name, or no file there
└── ProfileInvalid    a profile's file is wrong (names file, line and key)
```

`str(error)` says what happened; `hint` says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class ProfileError(Exception):
    """Root of this package's errors.

    Args:
        what: one sentence: what happened, to which thing.
        hint: one sentence: what to do next; empty when there is nothing to do.
    """

    code: ClassVar[str] = "profile"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class ProfileNotFound(ProfileError):
    code = "profile_not_found"


class ProfileInvalid(ProfileError):
    code = "profile_invalid"
