"""Harmless texts about people, with names, addresses and numbers, as the screen gets them most."""

from __future__ import annotations

import random
from pathlib import Path

from skerry.guardrails.train.wording.templates import compose, read, varied

_NAMES = Path(__file__).parents[1] / "names" / "texts"
_FILES = ("everyday", "office", "clinical", "questions", "benign")


def texts(number: int, seed: int) -> list[str]:
    """`number` texts of the templates of the names classifier and of our own lines."""
    draw = random.Random(f"people {seed}")
    slots = read(Path(__file__).parent / "people.toml")
    templates = [
        line.replace("\\n", "\n")
        for name in _FILES
        for line in (_NAMES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        if line
    ]
    templates += slots["lines"] * 3
    return [varied(compose(draw.choice(templates), slots, draw), draw) for _ in range(number)]
