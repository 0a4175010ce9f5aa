"""Prompts whose sources are known, so that answers can be checked against them. Pure and seeded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from skerry.export.distill.curate.records import Asked, Source
from skerry.export.distill.prompts import lines
from skerry.export.distill.sources import Passage

_WORDS = (60, 90, 120)


def passage_of(row: Mapping[str, Any]) -> Passage:
    """A row of a passages' file: `text`, and `title` and `question` where it has them.

    Raises:
        ValueError: it has no text.
    """
    parts = (row.get("title", ""), row.get("text"), row.get("question", ""))
    if not all(isinstance(part, str) for part in parts) or not str(parts[1]).strip():
        raise ValueError("no passage with a text")
    return Passage(str(parts[0]), str(parts[1]), str(parts[2]))


def prompts(passages: Sequence[Passage], *, seed: int) -> Iterator[Asked]:
    """Prompts without end: two of three from passages with a question, where there are any."""
    draw, number = random.Random(seed), 0
    asked = [one for one in passages if one.question]
    while True:
        name = f"{seed}-{number}"
        grounded = bool(asked) and draw.random() < 2 / 3
        yield _grounded(name, asked, passages, draw) if grounded else _chat(name, draw)
        number += 1


def _grounded(
    name: str, asked: Sequence[Passage], passages: Sequence[Passage], draw: random.Random
) -> Asked:
    one = draw.choice(asked)
    others = draw.choices(passages, k=draw.choice((0, 0, 1, 2)))
    unlike = {passage.text: passage for passage in (*others, one)}
    shown = draw.sample(list(unlike.values()), len(unlike))
    cut = [passage.cut(draw.choice(_WORDS)) for passage in shown]
    sources = tuple(Source(mark, part.title, part.text) for mark, part in enumerate(cut, 1))
    return Asked(name, "grounded", one.question, sources=sources)


def _chat(name: str, draw: random.Random) -> Asked:
    form, topic = draw.choice(lines("forms")), draw.choice(lines("topics"))
    return Asked(name, "chat", form.format(topic=topic))
