"""What is wrong with a model file.

GgufError
├── GgufNotFound    there is no such file
├── GgufUnreadable  it is there, and cannot be read
└── GgufInvalid     it is cut off, damaged, of another format, or no model that can be used
"""

from __future__ import annotations


class GgufError(Exception):
    """`what` happened, to which file; `hint`: what to do next."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class GgufNotFound(GgufError):
    """There is no such file."""


class GgufUnreadable(GgufError):
    """The file cannot be read."""


class GgufInvalid(GgufError):
    """The file cannot be used."""
