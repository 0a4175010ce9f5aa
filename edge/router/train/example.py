"""One labelled utterance, and how a set of them is balanced. No I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from skerry.edge.types import RequestClass


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance with what is known of it; None where a source says nothing.

    `complex`: a small model does not suffice. `steps`: several steps of thought are needed.
    `in_scope`: it is of a kind that the router knows. `intent`: the label of CLINC150 or Banking77.
    """

    text: str
    source: str
    request_class: RequestClass | None = None
    intent: str | None = None
    complex: bool | None = None
    steps: bool | None = None
    in_scope: bool | None = True


def balance(groups: Sequence[tuple[str, str]], shares: dict[str, float]) -> list[float]:
    """Weights with mean 1: every class weighs the same, within a class sources as by `shares`.

    Args:
        groups: (class, source) of each example.
        shares: relative weight of a source; 1 for one that is not named.
    """
    count = Counter(groups)
    total: dict[str, float] = defaultdict(float)
    for label, source in count:
        total[label] += shares.get(source, 1.0)
    raw = [shares.get(s, 1.0) / total[c] / count[c, s] for c, s in groups]
    scale = len(raw) / sum(raw)
    return [weight * scale for weight in raw]
