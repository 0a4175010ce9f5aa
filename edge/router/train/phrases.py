"""The repository's own words: phrases by hand, and patterns that are filled from slots.

`phrases/CLASS.LEVEL.txt` has one utterance a line. Levels: `plain`; `hard`, too much for a small
model; `steps`, several steps of thought as well; `smalltalk`. `phrases/held_out/CLASS.txt` is
never trained on: odd lines choose and calibrate, even lines test. `phrases/contexts/` has what
people say before they come to the point.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from skerry.edge.router.train.example import Example
from skerry.edge.types import RequestClass

FOLDER = Path(__file__).parent / "phrases"
CONTEXTS = FOLDER / "contexts" / "neutral.txt"
TEMPLATES = Path(__file__).parent / "templates.toml"

_SLOT = re.compile(r"\{(\w+)\}")


def own_phrases() -> list[Example]:
    """Every hand-written utterance for training."""
    return [
        _example(text, path.name.split(".")[0], path.name.split(".")[1], "own")
        for path in sorted(FOLDER.glob("*.txt"))
        for text in _lines(path)
    ]


def held_out(part: str) -> list[Example]:
    """The hand-written utterances for `dev` or `test`."""
    start = {"dev": 0, "test": 1}[part]
    return [
        _example(text, path.stem, _level_of(path.stem), "held-out")
        for path in sorted((FOLDER / "held_out").glob("*.txt"))
        for text in _lines(path)[start::2]
    ]


def filled_templates(each: int, seed: int) -> list[Example]:
    """Different utterances: every pattern filled up to `each` times."""
    document = _templates()
    slots = document["slots"]
    return [
        _example(text, label, level, "template")
        for label, levels in sorted(document.items())
        if label != "slots"
        for level, patterns in sorted(levels.items())
        for text in _fill_all(patterns, slots, each, random.Random(f"{seed}{label}{level}"))
    ]


def in_context(examples: Sequence[Example], seed: int) -> list[Example]:
    """Each utterance after one or two sentences that say nothing about its class."""
    contexts, draw = _lines(CONTEXTS), random.Random(seed)
    return [
        replace(
            example, text=" ".join([*draw.sample(contexts, draw.choice((1, 1, 2))), example.text])
        )
        for example in examples
    ]


def _level_of(label: str) -> str:
    return "steps" if label == RequestClass.REASONING else "plain"


def _example(text: str, label: str, level: str, source: str) -> Example:
    request_class = RequestClass(label)
    outside = request_class is RequestClass.UNSUPPORTED
    return Example(
        text=text,
        source=source,
        request_class=request_class,
        complex=level in ("hard", "steps"),
        steps=None if level == "hard" else level == "steps",
        in_scope=None if level == "smalltalk" else not outside,
    )


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def _templates() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))


def _fill_all(
    patterns: list[str], slots: dict[str, list[str]], each: int, draw: random.Random
) -> list[str]:
    filled = [_fill(pattern, slots, draw) for pattern in patterns for _ in range(each)]
    return list(dict.fromkeys(filled))


def _fill(pattern: str, slots: dict[str, list[str]], draw: random.Random) -> str:
    return _SLOT.sub(lambda match: draw.choice(slots[match[1]]), pattern)
