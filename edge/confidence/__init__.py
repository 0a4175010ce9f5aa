"""How likely a grounded answer of this device is right, judged when it ends."""

from __future__ import annotations

from skerry.edge.confidence.features import Answered, Source
from skerry.edge.confidence.model import (
    ConfidenceModel,
    answer_confidence,
    quotation_confidence,
)

__all__ = ["Answered", "ConfidenceModel", "Source", "answer_confidence", "quotation_confidence"]
