"""What can go wrong when a draft model is made."""

from __future__ import annotations

from skerry.export.errors import ExportError


class DistillError(ExportError):
    """It cannot be made; `hint` says what to do next."""
