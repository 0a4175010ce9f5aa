"""Questions as people type them: typos, no punctuation, no capitals, something pasted after them.

Pure and seeded. Numbers are never touched, nor words of fewer than four letters or of capitals, so
that the answer stays the answer.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from skerry.export.distill.curate.records import Said

Change = Callable[[str, random.Random], str]

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PLAIN_WORD = re.compile(r"\b[^\W\d_]{4,}\b")
_APPENDED = (
    "\n\nSent from my phone", " thx", " pls", " ???", "\n--\nWard 3, ext. unknown",
    " asap", " (asking for a colleague)", "\n> forwarded message", " ..", " :)",
)  # fmt: skip
_BEFORE = ("hi, ", "quick question: ", "ok so ", "hey ", "sorry, ", "um ")


def typos(text: str, draw: random.Random) -> str:
    """One typo in about every sixth word: letters swapped, left out, doubled, or the key beside."""
    places = [found for found in _PLAIN_WORD.finditer(text) if not found[0].isupper()]
    if not places:
        return text
    chosen = draw.sample(places, max(1, len(places) // 6))
    for found in sorted(chosen, key=lambda one: one.start(), reverse=True):
        text = text[: found.start()] + _mistyped(found[0], draw) + text[found.end() :]
    return text


def no_punctuation(text: str, _: random.Random) -> str:
    """Nothing between sentences or at the end; points and commas in numbers stay."""
    return re.sub(r"(?<!\d)[.,;:!?]|[.,;:!?](?!\d)", "", text)


def casing(text: str, draw: random.Random) -> str:
    """All small, or all capitals."""
    return text.lower() if draw.random() < 0.7 else text.upper()


def appended(text: str, draw: random.Random) -> str:
    """Something after it that asks nothing."""
    return text + draw.choice(_APPENDED)


def introduced(text: str, draw: random.Random) -> str:
    """Something before it that asks nothing."""
    return draw.choice(_BEFORE) + text


CHANGES: Mapping[str, Change] = {
    "typos": typos,
    "no_punctuation": no_punctuation,
    "casing": casing,
    "appended": appended,
    "introduced": introduced,
}


def noisy(rows: list[Said], *, share: float, seed: int) -> Iterator[Said]:
    """Copies of about `share` of the rows, each with one or two changes to its question.

    The answer is the same: what is learnt is to answer such a question like a clean one.
    """
    draw = random.Random(seed)
    for row in rows:
        if draw.random() < share:
            changed = _changed(row, draw)
            if changed.asked.question != row.asked.question:
                yield changed


def _changed(row: Said, draw: random.Random) -> Said:
    names = draw.sample(list(CHANGES), draw.choice((1, 1, 2)))
    question = row.asked.question
    for name in names:
        question = CHANGES[name](question, draw)
    mark = "+".join(names)
    asked = replace(row.asked, id=f"{row.asked.id}~{mark}", question=question, noise=tuple(names))
    return replace(row, asked=asked)


def _mistyped(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    kind = draw.choice(("swap", "drop", "double", "beside"))
    if kind == "swap":
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:at] + word[at + 1 :]
    if kind == "double":
        return word[:at] + word[at] + word[at:]
    return word[:at] + _beside(word[at], draw) + word[at + 1 :]


def _beside(letter: str, draw: random.Random) -> str:
    for row in _ROWS:
        if (at := row.find(letter)) >= 0:
            return draw.choice(row[max(0, at - 1) : at] + row[at + 1 : at + 2])
    return letter
