"""Puts teacher's answers through the checks, and says what was left out and why. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skerry.export.distill.curate.absent import not_found, refused
from skerry.export.distill.curate.checks import CHECKS, Check
from skerry.export.distill.curate.noise import noisy
from skerry.export.distill.curate.records import Said
from skerry.export.distill.curate.trace import Traces, learnt_text

SCHEMA = "skerry.export.distill.curate/1"
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Dropped:
    """An answer that is not learnt; `why` by check."""

    said: Said
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Filtered:
    """What passed, and what did not."""

    kept: tuple[Said, ...]
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class Additions:
    """Shares of the kept answers that are added: noisy questions, sources that do not hold the
    answer; and a count of refusals."""

    noise: float = 0.3
    not_found: float = 0.15
    refusals: int = 12
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Curated:
    """What is to be learnt, in order: what passed, and what was added by its kind."""

    filtered: Filtered
    added: Mapping[str, tuple[Said, ...]]

    def rows(self) -> tuple[Said, ...]:
        more = (row for rows in self.added.values() for row in rows)
        return (*self.filtered.kept, *more)


def filtered(rows: Iterable[Said], checks: Mapping[str, Check] = CHECKS) -> Filtered:
    """Every answer through every check; of equal answers to equal questions the first is kept."""
    kept: list[Said] = []
    dropped: list[Dropped] = []
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        why = {name: said for name, check in checks.items() if (said := check(row))}
        if (key := _key(row)) in seen:
            why["duplicate"] = "the same was asked and answered before"
        if why:
            dropped.append(Dropped(row, why))
        else:
            seen.add(key)
            kept.append(row)
    return Filtered(tuple(kept), tuple(dropped))


def curated(
    rows: Iterable[Said], additions: Additions, checks: Mapping[str, Check] = CHECKS
) -> Curated:
    """Filters, and adds what a teacher does not write."""
    passed, seed = filtered(rows, checks), additions.seed
    absent = tuple(not_found(passed.kept, share=additions.not_found, seed=seed))
    added = {
        "not_found": absent,
        "refusal": tuple(refused(additions.refusals, seed=seed)),
        "noise": tuple(noisy([*passed.kept, *absent], share=additions.noise, seed=seed)),
    }
    return Curated(passed, added)


def chat_of(row: Said, traces: Traces) -> dict[str, Any]:
    """A row as an example that `skerry export finetune` and `distill learn` take."""
    text = learnt_text(row.answer, row.trace, traces)
    return {"messages": [*row.asked.messages(), {"role": "assistant", "content": text}]}


def report(made: Curated, traces: Traces) -> dict[str, Any]:
    """Counts, in plain JSON: what came, what was left out by which check, what was added."""
    kept, dropped = made.filtered.kept, made.filtered.dropped
    return {
        "schema": SCHEMA,
        "answers": len(kept) + len(dropped),
        "kept": len(kept),
        "dropped": len(dropped),
        "by_check": dict(Counter(name for one in dropped for name in one.why).most_common()),
        "by_family": _families(kept, dropped),
        "shown": _shown(dropped),
        "added": {name: len(rows) for name, rows in made.added.items()},
        "learnt": len(made.rows()),
        "traces": {"mode": str(traces), "have_one": sum(bool(one.trace) for one in kept)},
    }


def _families(kept: Sequence[Said], dropped: Sequence[Dropped]) -> dict[str, dict[str, int]]:
    passed = Counter(one.asked.family for one in kept)
    failed = Counter(one.said.asked.family for one in dropped)
    names = sorted(passed | failed)
    return {name: {"kept": passed[name], "dropped": failed[name]} for name in names}


def _shown(dropped: Sequence[Dropped]) -> dict[str, list[dict[str, str]]]:
    """The first few of each check, so that a person can judge the check."""
    shown: dict[str, list[dict[str, str]]] = {}
    for one in dropped:
        for name, why in one.why.items():
            rows = shown.setdefault(name, [])
            if len(rows) < _MOST_SHOWN:
                row = {"id": one.said.asked.id, "why": why, "answer": one.said.answer[:200]}
                rows.append(row)
    return shown


def _key(row: Said) -> tuple[str, ...]:
    texts = (row.asked.question, row.answer, *(one.text for one in row.asked.sources))
    return tuple(re.sub(r"\W+", " ", text).strip().lower() for text in texts)
