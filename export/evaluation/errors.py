"""What can go wrong before two bundles are compared. A failed gate is no error: it is a verdict."""

from __future__ import annotations

from skerry.export.errors import ExportError


class EvaluationError(ExportError):
    """The two cannot be compared."""

    code = "evaluation"
    exit_code = 2


class ThresholdsInvalid(EvaluationError):
    """The file of thresholds cannot be read or used."""

    code = "thresholds_invalid"
    exit_code = 3
