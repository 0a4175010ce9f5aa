"""The next round: what was hard becomes what the teacher is asked, and what people said is learnt.

Takes the lines of `skerry review examples` (`skerry.example/1`, docs/review.md), and rows of
telemetry that have at least a question. Pure.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from skerry.export.distill.curate.noise import CHANGES
from skerry.export.distill.curate.records import (
    NOT_FOUND,
    Asked,
    Expect,
    Said,
    asked_of,
)

EXAMPLE = "skerry.example/1"
_BETTER = frozenset({"wrong", "incomplete", "unsafe", "answered", "should_answer"})
_REFUSED = "I cannot help with that. Please ask a person who is responsible."


@dataclass(frozen=True, slots=True)
class Case:
    """One hard question: `asked`, and a `better` answer of a person's, empty where there is none;
    `why` it is hard."""

    asked: Asked
    better: str
    why: str


@dataclass(frozen=True, slots=True)
class Round:
    """What the teacher is asked next, what is learnt as people said it, and counts."""

    prompts: tuple[Asked, ...]
    said: tuple[Said, ...]
    counts: Mapping[str, int]


def case_of(row: Mapping[str, Any]) -> Case | None:
    """A row of review or of telemetry; None: it keeps no question, so nothing can be learnt.

    Raises:
        ValueError: it has a question and is no such row.
    """
    if not row.get("question"):
        return None
    label = str(row.get("label") or row.get("why") or "hard")
    better = row.get("answer") or ""
    if not isinstance(better, str):
        raise ValueError("'answer' is no text")
    given = str(row.get("given") or "")
    if label == "right":
        better = given
    expect = _expected(label, better)
    named = {"id": row.get("id") or _name(str(row["question"])), "family": "hard"}
    asked = asked_of({**row, **named, "noise": [], "expect": expect})
    return Case(asked, better if label in _BETTER | {"right", "should_refuse"} else "", label)


def next_round(
    cases: Iterable[Case | None], *, variants: int, seed: int, seen: Iterable[str] = ()
) -> Round:
    """What to ask and what to learn.

    Every question is asked as it is and in `variants` noisy forms, so that it is not learnt by
    heart; those in `seen`, from rounds before, are left out. Where a person gave the answer, it is
    learnt as it is; only its noisy forms are then asked of nobody.
    """
    draw, counts, known = random.Random(seed), Counter[str](), {_plain(one) for one in seen}
    prompts: list[Asked] = []
    said: list[Said] = []
    for case in cases:
        key = "" if case is None else _plain(case.asked.question)
        if case is None or key in known:
            counts["without_text" if case is None else "seen"] += 1
            continue
        known.add(key)
        counts[case.why] += 1
        forms = [case.asked, *_forms(case.asked, variants, draw)]
        if answer := _answer(case):
            said += [Said(one, answer, by="person") for one in forms]
        else:
            prompts += forms
    return Round(tuple(prompts), tuple(said), dict(counts))


def _answer(case: Case) -> str:
    if case.better.strip():
        return case.better
    return _REFUSED if case.asked.expect is Expect.REFUSE else ""


def _expected(label: str, better: str) -> Expect:
    if label == "should_refuse":
        return Expect.REFUSE
    missing = NOT_FOUND.rstrip(".").lower() in better.lower()
    return Expect.NOT_FOUND if missing else Expect.ANSWER


def _forms(asked: Asked, variants: int, draw: random.Random) -> list[Asked]:
    made = []
    for number in range(variants):
        name = draw.choice(list(CHANGES))
        question = CHANGES[name](asked.question, draw)
        form = replace(asked, id=f"{asked.id}~{number}", question=question, noise=(name,))
        made.append(form)
    return [one for one in made if one.question != asked.question]


def _name(question: str) -> str:
    return hashlib.sha256(question.encode("utf-8", "replace")).hexdigest()[:16]


def _plain(question: str) -> str:
    return re.sub(r"\W+", " ", question).strip().lower()
