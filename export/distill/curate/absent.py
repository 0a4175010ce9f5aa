"""Examples of what must not be answered: what no source holds, and what is to be refused. Pure.

A student that only ever sees answers learns to answer; each such example is one of our own words.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files

from skerry.export.distill.curate.records import NOT_FOUND, Asked, Expect, Said, Source

BY = "skerry"
_REFUSED = (
    "I cannot help with that. Please ask a person who is responsible.",
    "I'm sorry, I can't do that. Somebody who is responsible must decide it.",
    "I can't help with this. Please speak to a person.",
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_MOST_SHARED = 0.34


def not_found(rows: Sequence[Said], *, share: float, seed: int) -> Iterator[Said]:
    """For about `share` of the answers from sources: the same question with others' sources.

    Others' sources that have a third of the question's words may hold the answer, and are passed
    over.
    """
    draw = random.Random(seed)
    grounded = [row for row in rows if row.asked.sources and row.asked.expect is Expect.ANSWER]
    pool = list(dict.fromkeys(source for row in grounded for source in row.asked.sources))
    for row in grounded:
        if draw.random() >= share:
            continue
        shown = _others(row.asked, pool, draw)
        if shown:
            asked = replace(
                row.asked, id=f"{row.asked.id}~absent", family="not_found",
                expect=Expect.NOT_FOUND, sources=shown,
            )  # fmt: skip
            yield Said(asked, NOT_FOUND, by=BY)


def refused(count: int, *, seed: int) -> Iterator[Said]:
    """Requests that a device must not do, and refusals; each request once at most."""
    draw = random.Random(seed)
    asked = files(__package__).joinpath("texts", "refused.txt").read_text("utf-8").splitlines()
    asked = [line for line in asked if line.strip()]
    for place, line in enumerate(draw.sample(asked, min(count, len(asked)))):
        row = Asked(f"refused-{place}", "refused", line, Expect.REFUSE)
        yield Said(row, draw.choice(_REFUSED), by=BY)


def _others(asked: Asked, pool: Sequence[Source], draw: random.Random) -> tuple[Source, ...]:
    words = {word.lower() for word in _WORD.findall(asked.question)}
    own = {source.text for source in asked.sources}
    far = [one for one in pool if one.text not in own and _shared(words, one) <= _MOST_SHARED]
    chosen = draw.sample(far, min(len(far), draw.choice((1, 2, 3))))
    return tuple(replace(one, mark=mark) for mark, one in enumerate(chosen, 1))


def _shared(words: set[str], source: Source) -> float:
    held = {word.lower() for word in _WORD.findall(f"{source.title} {source.text}")}
    return len(words & held) / len(words) if words else 1.0
