"""What can go wrong when a variant is measured."""

from __future__ import annotations

from skerry.export.errors import ExportError


class MeasureFailed(ExportError):
    """A measurement crashed, took too long, or cannot be made of this variant."""
