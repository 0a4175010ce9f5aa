"""What can go wrong in an export.

ExportError
├── MissingExtra     a tool is not installed; the hint is the line that installs it
├── SourceRefused    the source model is damaged, hostile or of a kind that this cannot take
├── Unsupported      this format, precision or machine cannot do it; it says which and why
└── OutputFailed     the result could not be written, or did not pass its own check
"""

from __future__ import annotations

from typing import ClassVar


class ExportError(Exception):
    """An export that cannot be done: `what` happened, to which thing; `hint`: what to do next.

    `code` is what programs know it by, `exit_code` that of the command line.
    """

    code: ClassVar[str] = "export"
    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 4

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class MissingExtra(ExportError):
    """A tool is not installed."""

    code = "missing_extra"
    exit_code = 3


class SourceRefused(ExportError):
    """The source model is damaged, hostile, or of a kind that this cannot take."""

    code = "source_refused"


class Unsupported(ExportError):
    """This format, precision or machine cannot do it."""

    code = "unsupported"
    exit_code = 2


class OutputFailed(ExportError):
    """The result could not be written, or did not pass its own check."""

    code = "output_failed"
