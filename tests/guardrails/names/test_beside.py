"""What a name makes of a number beside it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from skerry.guardrails.beside import beside


@dataclass(frozen=True)
class At:
    start: int
    end: int
    label: str


CASES = [
    ("Ada Hill, 12/03/1961, ward 3", "Ada Hill", "person", [("12/03/1961", "date_of_birth")]),
    ("Ada Hill (869734) needs", "Ada Hill", "person", [("869734", "mrn")]),
    ("Ada Hill [0012345]", "Ada Hill", "person", [("0012345", "mrn")]),
    ("Ada Hill (2019) wrote", "Ada Hill", "person", []),
    ("Ada Hill 869734 steps", "Ada Hill", "person", []),
    ("in leeds, fl 81266 for post", "leeds", "place", [("81266", "postcode")]),
    ("leeds, b15 2br?", "leeds", "place", [("b15 2br", "postcode")]),
    ("leeds, new zealand cf10 5jt", "leeds", "place", [("cf10 5jt", "postcode")]),
    ("leeds\nca\n94021\n", "leeds", "place", [("94021", "postcode")]),
    ("Ottawa, ON K1A 0B1", "Ottawa", "place", [("K1A 0B1", "postcode")]),
    ("Mill 7\n06690 Jena", "Jena", "place", [("06690", "postcode")]),
    ("1317 YB Almere", "Almere", "place", [("1317 YB", "postcode")]),
    ("in Leeds, 12000 people", "Leeds", "place", []),
    ("in Leeds b12 5ug a day", "Leeds", "place", []),
    ("12000 people of Acme", "Acme", "organisation", []),
]


@pytest.mark.parametrize(("text", "name", "label", "found"), CASES)
def test_a_number_beside_a_name(
    text: str, name: str, label: str, found: list[tuple[str, str]]
) -> None:
    start = text.index(name)
    spans = beside([At(start, start + len(name), label)], text.lower())
    assert [(text[a:b], label) for a, b, label in spans] == found


def test_what_is_read_beside_a_name_is_short() -> None:
    """Each name reads a few characters before and after it: many names cost as many."""
    text = "leeds " + "a b " * 50_000
    assert list(beside([At(0, 5, "place")] * 1_000, text)) == []
