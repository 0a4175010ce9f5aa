"""Open-domain questions from HaluEval's one-turn QA (MIT; its text is HotpotQA's, CC BY-SA 4.0).

A question keeps its paragraph, loses the sentences that name the answer, or loses it all.
Comparisons and yes-or-no questions are left out, as containment cannot judge their answers, and so
are those that need two steps of thought.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skerry.edge.confidence.train.judge import holds
from skerry.edge.confidence.train.questions import (
    Collection,
    Fate,
    Gold,
    Page,
    Question,
    fate,
    halved,
    read_lines,
    shuffled,
)
from skerry.guardrails.sentences import sentences
from skerry.guardrails.support import support

NAME = "halueval"
FILE = "halueval_part/qa_one-turn_500.jsonl.zst"
SOURCE = "https://github.com/RUCAIBox/HaluEval"

_DIRECT_SHARE = 0.5

Row = dict[str, Any]


def load(data: Path, seed: int) -> tuple[Collection, Collection]:
    """(train, test), split by question."""
    rows = [row for row in read_lines(data / FILE) if _is_judged(row)]
    order = shuffled(rows, (row["question"] for row in rows), seed)
    train, test = halved(order, 2 / 3)
    return _collection(train, seed), _collection(test, seed)


def _is_judged(row: Row) -> bool:
    """The answer is named in the text, and not in the question already."""
    answer = row["right_answer"]
    return holds(row["knowledge"], answer) and not holds(row["question"], answer)


def _collection(rows: Sequence[Row], seed: int) -> Collection:
    pages, questions = [], []
    for number, row in enumerate(rows):
        name, gold = f"article-{number}", Gold((row["right_answer"],))
        text = page_text(row["knowledge"], gold, fate(row["question"], seed))
        title = " ".join(row["knowledge"].split()[:4])
        if text:
            pages.append(Page(name, title, text))
        if is_direct(row["question"], row["knowledge"], gold):
            questions.append(Question(f"halueval-{name}", row["question"].strip(), gold, title))
    return Collection(NAME, tuple(pages), tuple(questions))


def is_direct(question: str, text: str, gold: Gold) -> bool:
    """Whether one sentence holds the answer and at least half of the question's words.

    The others need two steps of thought, which no small model does: they would only teach
    that such questions go wrong.
    """
    spaced = spaced_sentences(text)
    parts = (spaced[start:end] for start, end in sentences(spaced))
    answering = (one for one in parts if any(holds(one, wanted) for wanted in gold.accepts))
    return any(support(question, one) >= _DIRECT_SHARE for one in answering)


def page_text(text: str, gold: Gold, its_fate: Fate) -> str:
    """The page as it goes into the index; empty for one that does not."""
    if its_fate is Fate.LEFT_OUT:
        return ""
    spaced = spaced_sentences(text)
    if its_fate is Fate.KEPT:
        return spaced
    kept = (spaced[start:end] for start, end in sentences(spaced))
    return " ".join(one for one in kept if not any(holds(one, gone) for gone in gold.accepts))


def spaced_sentences(text: str) -> str:
    """HotpotQA's paragraphs were joined without the space after a full stop; puts it back."""
    return re.sub(r"(?<=[a-z0-9)\"])\.(?=[A-Z])", ". ", text.strip())
