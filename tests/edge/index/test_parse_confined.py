"""Large texts, which are parsed in a process of their own that has limits."""

from __future__ import annotations

import sys

import pytest

from skerry.edge.errors import DocumentError
from skerry.edge.index.parse import confined, document, parse_data
from skerry.edge.index.parse.document import parse_here

PAGE = """---
title: Fridge \u2603
expires: 2027-02-28
verison: 2
---
# Fridge

| Vaccine | Stock |
|---|---|
| Influenza | 20 |

- one
- two
"""


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "LARGE_BYTES", 1)


@pytest.mark.parametrize("name", ["a.md", "b.txt", "c.html", "d.csv", "\udce9 \u2603\x1b.md"])
def test_it_is_parsed_as_a_small_one_is(name: str) -> None:
    assert parse_data(PAGE.encode(), name) == parse_here(PAGE.encode(), name)


def test_what_is_wrong_with_it_is_told() -> None:
    with pytest.raises(DocumentError, match=r"a\.csv is not a table") as caught:
        parse_data(b'a,b\n"x,1\n', "a.csv")
    assert caught.value.hint


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
@pytest.mark.parametrize(
    ("limit", "value", "what"),
    [("MEMORY_BYTES", 400 * 2**20, "memory"), ("PROCESSOR_SECONDS", 1, "takes more than")],
)
def test_markup_made_to_do_harm_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, what: str
) -> None:
    monkeypatch.setattr(confined, limit, value)
    with pytest.raises(DocumentError, match=what) as caught:
        parse_data(b"- a\n" * 500_000, "a.md")
    assert "split it" in caught.value.hint


def test_without_a_python_it_is_parsed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(confined, "get_executable", lambda: sys.executable)
    assert parse_data(PAGE.encode(), "a.md").title == "Fridge \u2603"
