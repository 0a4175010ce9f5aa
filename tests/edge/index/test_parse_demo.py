"""The demo handbook: every file can be taken, and says what `questions.toml` expects of it."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import skerry.edge
from skerry.edge.index.chunking import chunk
from skerry.edge.index.parse import SUPPORTED, Parsed, governance, parse
from skerry.edge.index.types import Event
from skerry.edge.types import RequestClass

DEMO = Path(skerry.edge.__path__[0]) / "demo"
FILES = sorted((DEMO / "handbook").iterdir())
QUESTIONS = tomllib.loads((DEMO / "questions.toml").read_text(encoding="utf-8"))["question"]
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def flat(parsed: Parsed) -> str:
    return " ".join(parsed.text.split())


def in_force() -> dict[str, Parsed]:
    """The files that are not expired, the newest version of each title."""
    newest: dict[str, tuple[float, str, Parsed]] = {}
    for path in FILES:
        parsed = parse(path)
        said = governance(parsed)
        assert said.valid_from is not None
        if said.expires_at is None or said.expires_at > NOW:
            entry = (said.valid_from, path.name, parsed)
            newest[parsed.title] = max(newest.get(parsed.title, entry), entry, key=lambda e: e[0])
    return {name: parsed for _, name, parsed in newest.values()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_is_a_short_governed_document(path: Path) -> None:
    assert path.suffix in SUPPORTED
    parsed = parse(path)
    assert 150 <= len(parsed.text.split()) <= 500
    assert {"title", "version", "valid-from", "domain"} <= set(parsed.metadata)
    assert governance(parsed).title == parsed.title
    pieces = chunk(parsed, count_tokens=lambda text: len(text.split()))
    assert len(pieces) > 2
    assert all(piece.heading for piece in pieces)


def test_one_guideline_is_superseded_and_one_notice_has_expired() -> None:
    assert {path.name for path in FILES} - set(in_force()) == {
        "emergency-trolley-2023.md",
        "notice-lift.md",
    }


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda entry: entry["question"])
def test_the_handbook_holds_what_a_question_expects(entry: dict[str, Any]) -> None:
    assert entry["class"] in set(RequestClass)
    if "source" in entry:
        held = flat(in_force()[entry["source"]])
        assert entry["expect"]
        assert all(fact in held for fact in entry["expect"])


def test_what_an_answer_must_never_say_is_only_in_documents_out_of_force() -> None:
    never = [fact for entry in QUESTIONS for fact in entry.get("never", ())]
    assert never
    everything = " ".join(flat(parse(path)) for path in FILES)
    held = " ".join(map(flat, in_force().values()))
    assert [fact for fact in never if fact in held or fact not in everything] == []


def test_the_questions_are_of_several_classes() -> None:
    assert len(QUESTIONS) <= 10
    assert {entry["class"] for entry in QUESTIONS} >= {
        RequestClass.LOOKUP,
        RequestClass.QUESTION,
        RequestClass.EXTRACTION,
        RequestClass.SAFETY,
        RequestClass.UNSUPPORTED,
    }


def test_the_events_are_fluid_records_that_expire() -> None:
    lines = (DEMO / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [Event(**json.loads(line)) for line in lines]
    assert len({(event.source, event.key) for event in events}) == len(events) > 2
    assert all(event.text and event.ttl_seconds for event in events)
