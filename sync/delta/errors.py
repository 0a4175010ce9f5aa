"""What is wrong with a delta, or with what it is applied to.

DeltaError
├── DeltaNotFound      there is no such file
├── DeltaInvalid       the delta is damaged, hostile, or of a version that is not known
├── SourceMismatch     the old file is not the one that the delta was made from
├── OutputExists       something is where the new file goes
├── NoRoom             the disk is full, or has less free than the new file needs
└── DeltaUnreadable    a file cannot be read or written
"""

from __future__ import annotations

from skerry.sync.errors import SyncError


class DeltaError(SyncError):
    """Root of these."""

    code = "delta"
    exit_code = 5


class DeltaNotFound(DeltaError):
    """There is no such file."""

    code = "delta_not_found"
    exit_code = 2


class DeltaInvalid(DeltaError):
    """The delta is damaged, hostile, or of a version that is not known."""

    code = "delta_invalid"


class SourceMismatch(DeltaError):
    """The old file is not the one that the delta was made from."""

    code = "delta_source"


class OutputExists(DeltaError):
    """Something is where the new file goes."""

    code = "delta_exists"
    exit_code = 2


class NoRoom(DeltaError):
    """The disk is full, or has less free than the new file needs."""

    code = "delta_no_room"
    retryable = True


class DeltaUnreadable(DeltaError):
    """A file cannot be read or written."""

    code = "delta_unreadable"
    retryable = True
