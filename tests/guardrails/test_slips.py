"""Answers that are nearly what their source says: each kind of slip is stopped, fair words pass."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from skerry.guardrails import Evidence
from skerry.guardrails.grounding import GroundingChecker
from skerry.guardrails.judging import Judge

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "grounding.md"


@dataclass(frozen=True)
class Row:
    """A claim beside its source. `wanted` is the gate's verdict: stopped or passed; refused is a
    fair claim that is stopped, missed a slip that passes."""

    kind: str
    source: str
    claim: str
    wanted: str


def rows() -> list[Row]:
    return [
        Row(path.stem.replace("_", " "), case["source"].strip(), claim, wanted)
        for path in sorted((HERE / "slips").glob("*.toml"))
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
        for wanted in ("stopped", "missed", "passed", "refused")
        for claim in case.get(wanted, ())
    ]


@cache
def checker() -> GroundingChecker:
    return GroundingChecker.load()


def passes(row: Row) -> bool:
    return bool(Judge("", [Evidence(1, row.source)], checker=checker)(row.claim).text)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.claim)
def test_what_is_nearly_said(row: Row) -> None:
    assert passes(row) is (row.wanted in {"passed", "missed"})


@pytest.mark.parametrize("source", sorted({row.source for row in rows()}))
def test_every_sentence_of_a_source_is_held_by_it(source: str) -> None:
    if source.startswith("|"):
        return
    for sentence in source.split(". "):
        found = checker().check(f"{sentence.rstrip('.')}.", source)
        assert not any(one.contradicts for one in found.exact), found.exact


def table() -> list[str]:
    """The counts of the page, a line for each kind."""
    counted = Counter((row.kind, row.wanted) for row in rows())
    kinds = dict.fromkeys(row.kind for row in rows())
    return [
        f"| {kind} | "
        + " | ".join(str(counted[kind, one]) for one in ("stopped", "missed", "passed", "refused"))
        + " |"
        for kind in kinds
    ]


def test_the_page_has_the_counts() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not [line for line in table() if line not in page], "\n".join(table())
