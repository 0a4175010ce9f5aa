"""What a head is trained on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its labels, one an output: 0 or 1, or NaN where nobody knows. `weight` of it."""

    text: str
    labels: tuple[float, ...]
    weight: float = 1.0
