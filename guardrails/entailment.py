"""What a source says of a claim, and who may be asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from skerry.guardrails.answer import Evidence


class Label(StrEnum):
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_FOUND = "not_found"


class Entailment(Protocol):
    """Tells what sources say of claims."""

    def labels(self, claim: str, sources: Sequence[Evidence], question: str = "") -> list[Label]:
        """What each source says of `claim`, a sentence without marks that answers `question`.

        Raises:
            GuardrailError: it cannot be told.
        """
