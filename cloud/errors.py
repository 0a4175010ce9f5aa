"""What can go wrong in the cloud tier; each says what happened and what to do."""

from __future__ import annotations


class CloudTierError(Exception):
    """`what` happened, `hint` says what to do, `code` is for programs.

    `instead`: see `skerry.cloud.hints.frames.Fault`.
    """

    code = "cloud_error"
    exit_code = 6

    def __init__(self, what: str, *, hint: str = "", instead: str = "") -> None:
        super().__init__(f"{what}; {hint}" if hint else what)
        self.what = what
        self.hint = hint
        self.instead = instead


class ProtocolError(CloudTierError):
    """A frame that is malformed, too large, or not allowed now."""

    code = "bad_frame"


class VersionError(ProtocolError):
    """The other side speaks another version of the hint protocol."""

    code = "bad_version"


class RequestError(CloudTierError):
    """The request cannot be served as it is: too long a prompt, an unknown model, …"""

    code = "bad_request"


class OtherVocabulary(RequestError):
    """The target's tokens are not those of the device: it would read something else."""

    code = "other_vocabulary"


class UnknownVocabulary(RequestError):
    """Nobody knows the target's tokens: it may read something else than the device means."""

    code = "unknown_vocabulary"


class TargetError(CloudTierError):
    """The engine failed, or the model cannot be loaded."""

    code = "engine_failed"
    exit_code = 4


class Busy(CloudTierError):
    """There is no room for another generation now."""

    code = "busy"
