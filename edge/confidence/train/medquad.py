"""Questions on genetic conditions from MedQuAD (CC BY 4.0), with answers of one fact.

Uses the pages of Genetics Home Reference: how often a condition is, by which gene, and whether it
is inherited.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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

NAME = "medquad"
FILE = "medquad/medquad_answered.jsonl.zst"
SOURCE = "https://github.com/abachaa/MedQuAD"

Row = dict[str, Any]

_PATTERNS = (
    "autosomal dominant",
    "autosomal recessive",
    "X-linked dominant",
    "X-linked recessive",
    "mitochondrial",
    "not inherited",
)
_GENE = re.compile(r"\b[A-Z][A-Z0-9]{2,9}\b(?= gene)")
_RATE = re.compile(r"\b1 in (\d[\d,]*\d)")
_CONDITIONS = 150


def load(data: Path, seed: int) -> tuple[Collection, Collection]:
    """(train, test), split by condition."""
    conditions: dict[str, list[Row]] = defaultdict(list)
    for row in read_lines(data / FILE):
        if row["source"] == "GHR" and row["qtype"] in _GOLD:
            conditions[row["focus"]].append(row)
    asked = {name: rows for name, rows in conditions.items() if len(rows) == len(_GOLD)}
    order = shuffled(asked.values(), asked, seed)[:_CONDITIONS]
    train, test = halved(order, 2 / 3)
    return _collection(train, seed), _collection(test, seed)


def _collection(conditions: Sequence[list[Row]], seed: int) -> Collection:
    """One question for each condition, about an aspect whose answer is a single fact."""
    pages, questions = [], []
    for rows in conditions:
        asked = next(iter(shuffled(*_judged(rows), seed)), None)
        for row in rows:
            lost = asked is row and fate(row["qid"], seed, may_cut=False) is Fate.LEFT_OUT
            if not lost:
                pages.append(_page(row))
        if asked is not None:
            gold = _GOLD[asked["qtype"]](asked["answer"])
            text = asked["question"].replace(" ?", "?")
            questions.append(Question(asked["qid"], text, gold, asked["focus"]))
    return Collection(NAME, tuple(pages), tuple(questions))


def _judged(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """The rows whose answer is a single fact, and their ids."""
    chosen = [row for row in rows if _GOLD[row["qtype"]](row["answer"]).accepts]
    return chosen, [row["qid"] for row in chosen]


def _page(row: Row) -> Page:
    return Page(row["qid"], row["focus"], row["answer"])


def _inheritance(answer: str) -> Gold:
    found = tuple(one for one in _PATTERNS if one.lower() in answer.lower())
    if len(found) != 1:
        return Gold(())
    return Gold(found, tuple(one for one in _PATTERNS if one not in found))


def _gene(answer: str) -> Gold:
    return Gold(tuple(dict.fromkeys(_GENE.findall(answer))))


def _rate(answer: str) -> Gold:
    found = _RATE.findall(answer)
    return Gold((f"1 in {found[0]}",)) if len(found) == 1 else Gold(())


_GOLD = {"inheritance": _inheritance, "genetic changes": _gene, "frequency": _rate}
