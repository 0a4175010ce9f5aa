"""Front matter, and what it means to the index."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import governance, parse_data
from skerry.edge.index.types import Metadata


@dataclass(frozen=True)
class Case:
    name: str
    front: str
    metadata: dict[str, str] = field(default_factory=dict)


CASES = [
    Case("plain", "title: A b\nversion: 2.1", {"title": "A b", "version": "2.1"}),
    Case("quoted", "title: 'A: b' # no\nversion: \"2 # 1\"", {"title": "A: b", "version": "2 # 1"}),
    Case("comment", "# first\nversion: 2 # second", {"version": "2"}),
    Case("spelling", "Valid_From: 2026-01-01\nEXPIRES: 2027-01-01",
         {"valid-from": "2026-01-01", "expires": "2027-01-01"}),
    Case("other names", "effective: 2026-01-01\nvalid-until: 2027-01-01\naccess: a",
         {"valid-from": "2026-01-01", "expires": "2027-01-01", "labels": "a"}),
    Case("inline list", "labels: [a, 'b c']", {"labels": "a, b c"}),
    Case("list", "labels:\n  - a\n- b", {"labels": "a, b"}),
    Case("folded", "title: >\n  A\n  b", {"title": "A b"}),
    Case("unknown keys", "author: x\ntags:\n  - y", {}),
    Case("first wins", "version: 1\nversion: 2", {"version": "1"}),
    Case("no value", "title:\nversion: 1", {"version": "1"}),
    Case("empty", "", {}),
]  # fmt: skip


@pytest.mark.parametrize("suffix", [".md", ".txt"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_front_matter(case: Case, suffix: str) -> None:
    parsed = parse_data(f"---\n{case.front}\n---\nBody.".encode(), "a" + suffix)
    assert parsed.metadata == case.metadata
    assert parsed.text == "Body."


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: x\nno end",
        "text\n---\ntitle: x\n---\n",
        "---\ntitle: x\nnot a pair\n---\nBody.",
    ],
    ids=["open", "not at the head", "not pairs"],
)
def test_what_is_not_front_matter_is_text(text: str) -> None:
    parsed = parse_data(text.encode(), "a.txt")
    assert parsed.metadata == {}
    assert "title: x" in parsed.text


def seconds(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]  # year to second


def governed(front: str) -> Metadata:
    return governance(parse_data(f"---\n{front}\n---\n# Heading".encode(), "a.md"))


@pytest.mark.parametrize(
    ("front", "misspelt"),
    [
        ("valid_form: 2026-01-01", {"valid_form": "valid-from"}),
        ("Expries: 2026-01-01\nverison: 2", {"Expries": "expires", "verison": "version"}),
        ("exipry-date: 2026-01-01", {"exipry-date": "expires"}),
        (
            "lables: a\ndomian: b\ntitel: c",
            {"lables": "labels", "domian": "domain", "titel": "title"},
        ),
        ("author: x\ntags: y\nstatus: z\npublisher: p\nissue: 3\nstate: s\nid: 4", {}),
        ("title: x\nValid From: 2026-01-01\ndc.date: 2026-01-01", {}),
    ],
)
def test_keys_that_are_nearly_keys(front: str, misspelt: dict[str, str]) -> None:
    assert parse_data(f"---\n{front}\n---\ntext".encode(), "a.md").misspelt == misspelt


def test_governance() -> None:
    assert governed(
        "title: T\nversion: 2\nvalid-from: 2026-01-01\nexpires: 2026-12-31\n"
        "labels: a, b,\ndomain: d"
    ) == Metadata(
        title="T",
        version="2",
        valid_from=seconds(2026, 1, 1),
        expires_at=seconds(2027, 1, 1),
        labels=frozenset({"a", "b"}),
        domain="d",
    )


def test_what_a_document_does_not_say_is_left_open() -> None:
    assert governed("author: x") == Metadata(title="Heading")


@pytest.mark.parametrize(
    ("front", "begin", "end"),
    [
        ("date: 2026-01-01", seconds(2026, 1, 1), None),
        ("date: 2026-01-01\nvalid-from: 2026-02-01", seconds(2026, 2, 1), None),
        ("expires: 2026-02-28T18:00", None, seconds(2026, 2, 28, 18)),
        ("expires: 2026-02-28T18:00+02:00", None, seconds(2026, 2, 28, 16)),
        ("expires: 9999-12-31", None, seconds(9999, 12, 31) + 86_400),
        ("expires: 20260228", None, seconds(2026, 3, 1)),
    ],
)
def test_dates(front: str, begin: float | None, end: float | None) -> None:
    said = governed(front)
    assert (said.valid_from, said.expires_at) == (begin, end)


@pytest.mark.parametrize(
    "front", ["expires: soon", "valid-from: 31/01/2026", "expires: 2026-02-30"]
)
def test_a_date_that_cannot_be_read_is_an_error(front: str) -> None:
    with pytest.raises(DocumentError, match="Heading"):
        governed(front)
