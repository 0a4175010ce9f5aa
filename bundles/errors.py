"""What can go wrong with a bundle.

```
BundleError
├── BundleNotFound    there is no bundle at that path
├── ManifestInvalid   `bundle.json` is damaged, hostile, or of a version that this does not read
├── BundleDamaged     a file is missing, altered, a link, or not in the manifest
├── NoVariant         nothing in the bundle suits the device; it says why, variant by variant
├── BundleExists      there is something at the place where a bundle was to be written
├── BundleBusy        another process writes a bundle at that place
└── WriteFailed       the disk is full, or the folder cannot be written; nothing is left there
```

`str(error)` says what happened and to which thing; `hint` says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class BundleError(Exception):
    """Root of this room's errors.

    Args:
        what: one sentence: what happened, to which thing.
        hint: one sentence: what to do next; empty when there is nothing to do.
    """

    code: ClassVar[str] = "bundle"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 4

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class BundleNotFound(BundleError):
    code = "bundle_not_found"


class ManifestInvalid(BundleError):
    code = "manifest_invalid"


class BundleDamaged(BundleError):
    code = "bundle_damaged"


class NoVariant(BundleError):
    code = "no_variant"


class BundleExists(BundleError):
    code = "bundle_exists"
    exit_code = 2


class BundleBusy(BundleError):
    code = "bundle_busy"
    retryable = True
    exit_code = 2


class WriteFailed(BundleError):
    code = "write_failed"
    exit_code = 2
