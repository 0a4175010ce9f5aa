"""Grounded questions whose answers can be judged by a rule: what every source of them shares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import zstandard

Item = TypeVar("Item")

KEPT_SHARE = 0.65  # of the pages; half of the others lose the answer, half are left out


class Fate(StrEnum):
    """What became of the page that answers a question before it was put into the index."""

    KEPT = "kept"
    CUT = "cut"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Gold:
    """What a right answer holds: one of `accepts` and none of `rejects`, as whole words."""

    accepts: tuple[str, ...]
    rejects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A document of a collection; `name` is unique in it and safe as a file's name."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """`about` is the title of the pages that may answer it, whether or not they are there."""

    id: str
    text: str
    gold: Gold
    about: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Pages to index together, and questions about them. `name` is that of the data source."""

    name: str
    pages: tuple[Page, ...]
    questions: tuple[Question, ...]

    def first(self, count: int) -> Collection:
        """The same pages with the first `count` questions."""
        return Collection(self.name, self.pages, self.questions[:count])


def draw(key: str, seed: int) -> float:
    """A number in [0, 1) that depends on `key` and `seed` alone."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56


def shuffled(items: Iterable[Item], keys: Iterable[str], seed: int) -> list[Item]:
    """`items` in an order that depends on their keys and `seed` alone."""
    pairs = sorted(zip(keys, items, strict=True), key=lambda pair: draw(pair[0], seed))
    return [item for _, item in pairs]


def fate(key: str, seed: int, *, may_cut: bool = True) -> Fate:
    """Whether the page of a question is kept, loses the answer, or is left out."""
    drawn = draw(f"fate:{key}", seed)
    if drawn < KEPT_SHARE:
        return Fate.KEPT
    return Fate.CUT if may_cut and drawn < (1 + KEPT_SHARE) / 2 else Fate.LEFT_OUT


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a zstd-compressed file of JSON lines."""
    return [json.loads(line) for line in read_text(path).split("\n") if line]


def read_text(path: Path) -> str:
    with path.open("rb") as file:
        text: str = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        return text


def halved(items: Sequence[Item], train_share: float) -> tuple[Sequence[Item], Sequence[Item]]:
    """(train, test): the first `train_share` of `items` and the rest."""
    cut = round(len(items) * train_share)
    return items[:cut], items[cut:]
