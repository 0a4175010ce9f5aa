"""What can go wrong in an export.

ExportError
├── MissingExtra     a tool is not installed; the hint is the line that installs it
├── SourceRefused    the source model is damaged, hostile or of a kind that this cannot take
├── Unsupported      this format, precision or machine cannot do it; it says which and why
└── OutputFailed     the result could not be written, or did not pass its own check
"""

from __future__ import annotations


class ExportError(Exception):
    """An export that cannot be done: `what` happened, to which thing; `hint`: what to do next."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class MissingExtra(ExportError):
    """A tool is not installed."""


class SourceRefused(ExportError):
    """The source model is damaged, hostile, or of a kind that this cannot take."""


class Unsupported(ExportError):
    """This format, precision or machine cannot do it."""


class OutputFailed(ExportError):
    """The result could not be written, or did not pass its own check."""
