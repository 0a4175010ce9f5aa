"""Questions on the size of a study from PubMedQA's abstracts (MIT): "How many patients …?"

Only the 500 test abstracts are used, and only to report: no weights have seen this source.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from skerry.edge.confidence.train.halueval import page_text
from skerry.edge.confidence.train.questions import (
    Collection,
    Gold,
    Page,
    Question,
    fate,
    read_text,
    shuffled,
)

NAME = "pubmedqa"
FILE = "pubmedqa_l/ori_pqal.json.zst"
TEST_IDS = "pubmedqa_l/test_ground_truth.json.zst"
SOURCE = "https://github.com/pubmedqa/pubmedqa"

_COUNT = re.compile(
    r"\b(\d(?:[\d,]*\d)?) (?:[a-z-]+ ){0,2}?"
    r"(patients|women|men|children|subjects|participants|adults|students|infants|residents|"
    r"physicians|cases|nurses|volunteers)\b"
)
_LONGEST = 1500  # characters of an abstract: longer ones cost most of the time of a run


def load(data: Path, seed: int) -> Collection:
    """The test abstracts that count one kind of people exactly once."""
    rows = json.loads(read_text(data / FILE))
    tested = json.loads(read_text(data / TEST_IDS))
    pages, questions = [], []
    for key in shuffled(sorted(tested), sorted(tested), seed):
        title = rows[key]["QUESTION"].rstrip("?")
        asked = _asked(key, title, "\n\n".join(rows[key]["CONTEXTS"]))
        if asked is None:
            continue
        question, text = asked
        questions.append(question)
        if text := page_text(text, question.gold, fate(key, seed)):
            pages.append(Page(question.id, title, text))
    return Collection(NAME, tuple(pages), tuple(questions))


def _asked(key: str, title: str, text: str) -> tuple[Question, str] | None:
    found = [(number, who) for number, who in _COUNT.findall(text) if len(number) > 1]
    counts = Counter(who for _, who in found)
    once = [(number, who) for number, who in found if counts[who] == 1]
    if not once or len(text) > _LONGEST:
        return None
    number, who = once[0]
    asked = f'How many {who} were in the study "{title}"?'
    return Question(f"pubmedqa-{key}", asked, Gold((number,)), title), text
