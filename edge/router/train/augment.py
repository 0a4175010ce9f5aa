"""The same utterance as people type it: lower case, no punctuation, typos, greetings, spelling."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from skerry.edge.router.train.example import Example

_BEFORE = (
    "hi, ",
    "hello, ",
    "hey ",
    "please ",
    "um ",
    "good morning, ",
    "quick question: ",
    "ok so ",
)
_AFTER = (" please", " thanks", " thank you", " pls", " asap", "!", "??", " ...")
_SPELLINGS = (
    ("ise", "ize"), ("our", "or"), ("aemia", "emia"), ("oea", "ea"), ("centre", "center"),
    ("programme", "program"), ("tyre", "tire"), ("mum", "mom"), ("metre", "meter"),
)  # fmt: skip


def variants(examples: Sequence[Example], each: int, seed: int) -> list[Example]:
    """`each` changed copies of every example; a copy that came out unchanged is left out."""
    draw = random.Random(seed)
    changed = [
        replace(example, text=_change(example.text, draw))
        for example in examples
        for _ in range(each)
    ]
    known = {example.text for example in examples}
    return [example for example in changed if example.text.strip() and example.text not in known]


def _change(text: str, draw: random.Random) -> str:
    if draw.random() < 0.2:
        text = _american(text)
    for change, chance in _CHANGES:
        if draw.random() < chance:
            text = change(text, draw)
    if draw.random() < 0.5:
        text = re.sub(r"[?.!,;']", "", text)
    return text.lower() if draw.random() < 0.6 else text


def _typo(text: str, draw: random.Random) -> str:
    """Swaps, drops or doubles one letter."""
    if len(text) < 4:
        return text
    i = draw.randrange(1, len(text) - 1)
    swapped = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return draw.choice((swapped, text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:]))


def _greeting(text: str, draw: random.Random) -> str:
    return draw.choice(_BEFORE) + text


def _ending(text: str, draw: random.Random) -> str:
    return text.rstrip("?.! ") + draw.choice(_AFTER)


def _american(text: str) -> str:
    for british, american in _SPELLINGS:
        text = text.replace(british, american)
    return text


_CHANGES = ((_typo, 0.3), (_typo, 0.1), (_ending, 0.15), (_greeting, 0.15))
