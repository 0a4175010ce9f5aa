"""Passages, questions and messages of public data sets, for prompts.

Only sets whose licence allows weights to be trained on them; of each, what is not for testing.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from skerry.export.distill.errors import DistillError

_LEAST_WORDS = 30


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, and a question to it where the set has one."""

    title: str
    text: str
    question: str = ""

    def cut(self, words: int) -> Passage:
        """Its first sentences, about `words` words."""
        if len(self.text.split()) <= words:
            return self
        head = " ".join(self.text.split(" ")[:words])
        end = max(head.rfind(". "), head.rfind(".\n"))
        return replace(self, text=head[: end + 1] if end > len(head) // 3 else head)


@dataclass(frozen=True, slots=True)
class Sources:
    """What prompts are made of besides the templates."""

    passages: list[Passage] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    @property
    def asked(self) -> list[Passage]:
        """Passages with a question."""
        return [one for one in self.passages if one.question] or self.passages


def read(data: Path) -> Sources:
    """The sources under a folder of public sets.

    Raises:
        DistillError: a set is missing; it is named.
    """
    sets = (_medquad, _pubmedqa, _summedits, _dialogs, _facts)
    passages = [passage for one in sets for passage in one(data)]
    enough = [one for one in passages if len(one.text.split()) >= _LEAST_WORDS]
    return Sources(enough, [*_gsm8k(data), *_banking(data), *_intents(data), *_queries(data)])


def _medquad(data: Path) -> Iterator[Passage]:
    for row in _rows(data, "medquad/medquad_answered.jsonl.zst"):
        yield Passage(row["focus"], row["answer"], row["question"].replace(" ?", "?"))


def _pubmedqa(data: Path) -> Iterator[Passage]:
    """The 500 that are not the test set."""
    tested = json.loads(_text(data, "pubmedqa_l/test_ground_truth.json.zst"))
    for key, row in json.loads(_text(data, "pubmedqa_l/ori_pqal.json.zst")).items():
        if key not in tested:
            yield Passage(row["QUESTION"][:40], " ".join(row["CONTEXTS"]), row["QUESTION"])


def _summedits(data: Path) -> Iterator[Passage]:
    texts = {row["doc"]: row["domain"] for row in _rows(data, "summedits/summedits.jsonl.zst")}
    for text, domain in texts.items():
        yield Passage(domain, text)


def _dialogs(data: Path) -> Iterator[Passage]:
    text = _text(data, "mts_dialog/MTS-Dialog-TrainingSet.csv.zst")
    for row in csv.DictReader(io.StringIO(text)):
        yield Passage("Visit", row["dialogue"])
        yield Passage("Note", row["section_text"], "What is known of the patient?")


def _facts(data: Path) -> Iterator[Passage]:
    for row in _rows(data, "halueval_part/qa_one-turn_500.jsonl.zst"):
        yield Passage("Facts", row["knowledge"], row["question"])


def _gsm8k(data: Path) -> list[str]:
    return [row["question"] for row in _rows(data, "gsm8k/train.jsonl.zst")][:1500]


def _banking(data: Path) -> list[str]:
    text = _text(data, "banking77/train.csv.zst")
    return [row["text"] for row in csv.DictReader(io.StringIO(text))][::8]


def _intents(data: Path) -> list[str]:
    rows = json.loads(_text(data, "clinc150/data_full.json.zst"))["train"]
    return [text for text, _ in rows][::12]


def _queries(data: Path) -> list[str]:
    rows = _rows(data, "halueval_part/general_data.jsonl.zst")
    return [row["user_query"] for row in rows if len(row["user_query"]) < 900]


def _rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    for line in _text(data, name).split("\n"):
        if line.strip():
            yield json.loads(line)


def _text(data: Path, name: str) -> str:
    import zstandard

    path = data / name
    if not path.is_file():
        raise DistillError(
            f"the public data set '{path.parent.name}' is missing ({name})",
            hint="put it under the folder that --data or SKERRY_DATA names, or go without --data",
        )
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8")
