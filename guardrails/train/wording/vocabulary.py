"""Which words have a row of their own: MiniLM's whole words, and those that our texts often use."""

from __future__ import annotations

import re
import string
from collections import Counter
from pathlib import Path

from skerry.guardrails.train.wording import sources
from skerry.guardrails.wording.words import EDGE

_LEAST = 4
_LONGEST = 24
_PLAIN = re.compile(r"[a-z]+(?:'(?:s|t|re|ve|ll|d|m))?")
_OWN = Path(__file__).parents[1]


def vocabulary(data: Path) -> list[str]:
    """The words in order, each once; marks and numbers as `wording.words` writes them."""
    counts: Counter[str] = Counter()
    for texts in sources.training(data).values():
        for text in texts:
            counts.update(_PLAIN.findall(text.lower()))
    often = [word for word, count in counts.items() if count >= _LEAST and len(word) <= _LONGEST]
    marks = [mark * times for mark in string.punctuation for times in (1, 2, 3)]
    numbers = ["0" * width for width in range(1, 5)]
    return list(dict.fromkeys([EDGE, *numbers, *marks, *_own(), *sorted(often), *_whole_words()]))


def _own() -> list[str]:
    """All words of our templates, of any language in letters."""
    found: set[str] = set()
    for path in sorted(_OWN.glob("*/texts/*.toml")):
        if "held_out" not in path.name:
            found.update(re.findall(r"[^\W\d_]+", path.read_text(encoding="utf-8").lower()))
    return sorted(found)


def _whole_words() -> list[str]:
    from skerry.export.encoder.float32 import source_folder
    from skerry.export.encoder.vocabulary import read_tokenizer

    words = read_tokenizer(source_folder() / "tokenizer.json")["model"]["vocab"]
    return sorted(word for word in words if _PLAIN.fullmatch(word))
