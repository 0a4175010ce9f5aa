"""What can go wrong when a draft model is made."""

from __future__ import annotations


class DistillError(Exception):
    """It cannot be made; `hint` says what to do next."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
