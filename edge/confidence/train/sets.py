"""Which questions train the weights, and which are only for the report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from skerry.edge.confidence.train import halueval, handbook, medquad, pubmedqa
from skerry.edge.confidence.train.questions import Collection

Item = TypeVar("Item")

SPLIT = 1
"""The seed of the split and of all draws: what trains must never be drawn for a report."""

FILES = {
    medquad.FILE: medquad.SOURCE,
    halueval.FILE: halueval.SOURCE,
    pubmedqa.FILE: pubmedqa.SOURCE,
    pubmedqa.TEST_IDS: pubmedqa.SOURCE,
}
"""Files under the data folder, and where each is published."""


@dataclass(frozen=True, slots=True)
class QuestionSets:
    """`held_out` has unseen parts of the training sources, and one source never trained on."""

    train: tuple[Collection, ...]
    held_out: tuple[Collection, ...]


def load(data: Path) -> QuestionSets:
    """The questions drawn from the public sets under `data` and from the handbook.

    Raises:
        OSError: a file of `FILES` is missing.
    """
    medical, general, own = (
        medquad.load(data, SPLIT),
        halueval.load(data, SPLIT),
        handbook.load(SPLIT),
    )
    return QuestionSets(
        train=(medical[0].first(100), general[0].first(100), own[0].first(150)),
        held_out=(
            medical[1].first(50),
            general[1].first(50),
            own[1].first(60),
            pubmedqa.load(data, SPLIT).first(50),
        ),
    )


def interleaved(parts: Iterable[Sequence[Item]]) -> list[Item]:
    """All items, so that any first part has the same share of every sequence."""
    placed = chain.from_iterable(
        (((place + 0.5) / len(part), number, item) for place, item in enumerate(part))
        for number, part in enumerate(parts)
    )
    return [item for _, _, item in sorted(placed, key=lambda one: one[:2])]
