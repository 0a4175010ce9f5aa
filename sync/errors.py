"""What can go wrong with updates.

```
SyncError
├── MissingExtra       a part of Skerry is not installed; the hint has the line that installs it
├── RepositoryFault    a repository cannot be used as it is, or what was asked of it cannot be done
│   ├── KeyFault       a key is missing, of another role, or its passphrase is wrong
│   └── NotReviewed    what was to be signed was not agreed to
├── StoreFault         an object store does not take or give what it should
├── SourceFault        an update source cannot be reached, or stops half-way; try again later
│   └── NotThere       it has no such file
├── Untrusted          what a source gave is not what the signed metadata says
├── DeviceFault        the device's folder cannot be used as it is
│   ├── DeviceBusy     another process changes it
│   └── NoSpace        the disk has no room for the update; nothing was changed
├── Unhealthy          a new bundle did not pass its health check; the old one runs on
├── Postponed          the rules on network, hours or bandwidth say: later
└── DeltaError         a delta, or what it is applied to: see `skerry.sync.delta.errors`
```

`str(error)` says what happened and to which thing; `hint` says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class SyncError(Exception):
    """Root of this room's errors.

    Args:
        what: one sentence: what happened, to which thing.
        hint: one sentence: what to do next; empty when there is nothing to do.
    """

    code: ClassVar[str] = "sync"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 4

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class MissingExtra(SyncError):
    code = "missing_extra"
    exit_code = 2


class RepositoryFault(SyncError):
    code = "repository"
    exit_code = 2


class KeyFault(RepositoryFault):
    code = "key"


class NotReviewed(RepositoryFault):
    code = "not_reviewed"


class StoreFault(SyncError):
    code = "store"
    retryable = True


class SourceFault(SyncError):
    code = "source"
    retryable = True


class NotThere(SourceFault):
    code = "not_there"
    retryable = False


class Untrusted(SyncError):
    code = "untrusted"


class DeviceFault(SyncError):
    code = "device"
    exit_code = 2


class DeviceBusy(DeviceFault):
    code = "device_busy"
    retryable = True


class NoSpace(DeviceFault):
    code = "no_space"


class Unhealthy(SyncError):
    code = "unhealthy"


class Postponed(SyncError):
    code = "postponed"
    retryable = True
