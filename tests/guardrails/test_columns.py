"""Cells of tables under a head that says what they are."""

from __future__ import annotations

import time

import pytest

from skerry.guardrails.columns import cells
from skerry.guardrails.screen import screen


def found(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], label) for start, end, label in cells(text.lower())]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "| Patient | DOB | Ward |\n|---|---|---|\n| Ada Reed | 1.2.1960 | 4B |",
            [("Ada Reed", "person"), ("1.2.1960", "date_of_birth")],
        ),
        (
            "surname,town,mrn\nOkafor,Leeds,123456\nReed,,998877",
            [
                ("Okafor", "person"),
                ("Leeds", "place"),
                ("123456", "mrn"),
                ("Reed", "person"),
                ("998877", "mrn"),
            ],
        ),
        ("Phone\tFax\n12345 678\tn/a\r\n", [("12345 678", "phone")]),
        (
            '"first_name";"employer"\n"Tim";"Acme Ltd"',
            [("Tim", "person"), ("Acme Ltd", "organisation")],
        ),
        ("Surname | DOB\n\nReed | 1.2.1960", []),
        ("Surname | DOB\nReed | 1.2.1960 | 4", []),
        ("Drug | Dose\nWarfarin | 3 mg 2026", []),
        ("Surname | Forename\nForename | Surname", []),
        ("Surname | DOB\n___ | pending", []),
        ("Surname | DOB", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_cell_is_what_its_head_says(text: str, wanted: list[tuple[str, str]]) -> None:
    assert found(text) == wanted


def test_the_screen_says_where_a_finding_comes_from() -> None:
    text = "Name | DOB | MRN\nx | 3 May 1970 | 12345"
    assert [(one.label, one.rule) for one in screen(text)] == [
        ("date_of_birth", "pattern:column"),
        ("mrn", "pattern:column"),
    ]


@pytest.mark.parametrize(
    "text",
    ["a,b,c\n" * 150_000, "dob,surname" + ",x" * 400_000, "dob|surname\n" + "1|2\n" * 200_000,
     "|" * 900_000, "\n" * 900_000],
)  # fmt: skip
def test_a_long_text_takes_its_length(text: str) -> None:
    start = time.process_time()
    list(cells(text))
    assert time.process_time() - start < 8
