"""Which templates and names train, which choose, and which test: by digest, so that no machine
and no order of lines changes it.

`WHOLE` is for the weights that are shipped: what trains and what chose, never what tests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import Enum


class Part(Enum):
    TRAINING = "training"
    DEVELOPMENT = "development"
    WHOLE = "whole"
    TEST = "test"

    @property
    def seen(self) -> frozenset[Part]:
        """The parts that it is made of."""
        if self is Part.WHOLE:
            return frozenset((Part.TRAINING, Part.DEVELOPMENT))
        return frozenset((self,))


def split(text: str, shares: Mapping[Part, int]) -> Part:
    """The part of `text`: TEST and DEVELOPMENT have their `shares` of 256, TRAINING the rest."""
    digit = hashlib.sha256(text.encode()).digest()[0]
    if digit < shares[Part.TEST]:
        return Part.TEST
    held = shares[Part.TEST] + shares[Part.DEVELOPMENT]
    return Part.DEVELOPMENT if digit < held else Part.TRAINING
