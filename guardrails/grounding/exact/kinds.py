"""What the exact checks look for, by name."""

from __future__ import annotations

from enum import StrEnum


class ExactKind(StrEnum):
    NUMBER = "number"
    UNIT = "unit"
    TIME = "time"
    DATE = "date"
    FREQUENCY = "frequency"
    DRUG = "drug"
    NAME = "name"
    NEGATION = "negation"
    BOUND = "bound"
    ASPECT = "aspect"
    ROLE = "role"
    EXTENT = "extent"


Found = tuple[ExactKind, int, int, bool]
"""A finding as a check gives it: kind, start and end in the claim, whether there is a rival."""
