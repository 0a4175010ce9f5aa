"""What joins the words of a name, and what parts them."""

from __future__ import annotations

import re
import time

import pytest

from skerry.guardrails.names.classifier import Word
from skerry.guardrails.names.joining import joined
from skerry.guardrails.names.parting import parted

PERSON, PLACE, FIRM = range(3)


def words(text: str, least: float = 0.05) -> list[Word]:
    """The words and marks of `text`, each hardly part of a name."""
    return [Word(*found.span(), (least, 0.0, 0.0)) for found in re.finditer(r"\w+|[^\w\s]", text)]


def with_class(text: str, classes: dict[str, int]) -> list[Word]:
    made = []
    for word in words(text):
        one = classes.get(text[word.start : word.end])
        chances = tuple(0.9 if at == one else 0.02 for at in range(3))
        made.append(Word(word.start, word.end, chances))
    return made


def by_join(text: str, named: set[str], one: int = PERSON) -> list[str]:
    seen = with_class(text, dict.fromkeys(named, one))
    counted = [text[one.start : one.end] in named for one in seen]
    made = joined(seen, counted, text)
    return [text[one.start : one.end] for one, counts in zip(seen, made, strict=True) if counts]


@pytest.mark.parametrize(
    ("text", "named", "all_of_them"),
    [
        ("in Neusiedl am See now", {"Neusiedl", "See"}, ["Neusiedl", "am", "See"]),
        ("Jan van der Berg", {"Jan", "Berg"}, ["Jan", "van", "der", "Berg"]),
        ("Bourquin-pres-Saudan", {"Bourquin", "Saudan"}, ["Bourquin", "-", "pres", "-", "Saudan"]),
        ("by S Reed", {"Reed"}, ["S", "Reed"]),
        ("by S. T. Reed", {"Reed"}, ["S", ".", "T", ".", "Reed"]),
        ("Reed, the Hall", {"Reed", "Hall"}, ["Reed", "Hall"]),
        ("Reed and Hall", {"Reed", "Hall"}, ["Reed", "Hall"]),
        ("Reed went on to Hall", {"Reed", "Hall"}, ["Reed", "Hall"]),
        ("go on Reed", {"Reed"}, ["Reed"]),
        ("a pre-Reed age", {"Reed"}, ["Reed"]),
        ("", set(), []),
        ("am", set(), []),
    ],
)  # fmt: skip
def test_what_belongs_to_a_name(text: str, named: set[str], all_of_them: list[str]) -> None:
    assert by_join(text, named) == all_of_them


@pytest.mark.parametrize(
    ("text", "named", "all_of_them"),
    [
        ("for Steiner & Partner", {"Steiner"}, ["Steiner", "&", "Partner"]),
        ("for Steiner & his dog", {"Steiner"}, ["Steiner", "&"]),
        (
            "Klein, Dony and Colson",
            {"Klein", "Dony", "Colson"},
            ["Klein", "Dony", "and", "Colson"],
        ),
        ("of Klein and Colson", {"Klein", "Colson"}, ["Klein", "Colson"]),
        ("Klein, Dony and he", {"Klein", "Dony"}, ["Klein", "Dony"]),
    ],
)
def test_partners_of_a_firm(text: str, named: set[str], all_of_them: list[str]) -> None:
    assert by_join(text, named, FIRM) == all_of_them


def by_part(text: str, classes: dict[str, int]) -> list[tuple[int, str]]:
    seen = with_class(text, classes)

    def label(part: object) -> int:
        one = next(word for word in seen if word is part[0])  # type: ignore[index]
        return max(range(3), key=lambda at: one.chances[at])

    return [
        (one, text[part[0].start : part[-1].end])
        for one, part in parted(seen, text, label, firm=FIRM)
    ]


@pytest.mark.parametrize(
    ("text", "classes", "wanted"),
    [
        ("Leeds, Tim", {"Leeds": PLACE, "Tim": PERSON}, [(PLACE, "Leeds"), (PERSON, "Tim")]),
        ("Reed, Ann", {"Reed": PERSON, "Ann": PERSON}, [(PERSON, "Reed, Ann")]),
        ("Ann and Tim", {"Ann": PERSON, "Tim": PERSON}, [(PERSON, "Ann"), (PERSON, "Tim")]),
        ("Hull and Leeds", {"Hull": PLACE, "Leeds": PLACE}, [(PLACE, "Hull"), (PLACE, "Leeds")]),
        ("Reed and Sons", {"Reed": FIRM, "Sons": FIRM}, [(FIRM, "Reed and Sons")]),
        (
            "Klein, Dony and Colson",
            {"Klein": PERSON, "Dony": FIRM, "Colson": PERSON},
            [(FIRM, "Klein, Dony and Colson")],
        ),
        ("Reed v Hall", {"Reed": PERSON, "Hall": PERSON}, [(PERSON, "Reed"), (PERSON, "Hall")]),
        ("Hull | Ann", {"Hull": PLACE, "Ann": PERSON}, [(PLACE, "Hull"), (PERSON, "Ann")]),
        ("Reed, J", {"Reed": PERSON, "J": PLACE}, [(PERSON, "Reed, J")]),
        ("Ann   Hull", {"Ann": PERSON, "Hull": PLACE}, [(PERSON, "Ann"), (PLACE, "Hull")]),
        ("", {}, []),
    ],
)  # fmt: skip
def test_where_a_name_ends(
    text: str, classes: dict[str, int], wanted: list[tuple[int, str]]
) -> None:
    assert by_part(text, classes) == wanted


def test_a_long_list_takes_its_length() -> None:
    text = "Reed, " * 20_000
    seen = with_class(text, {"Reed": PERSON})
    start = time.process_time()
    assert len(parted(seen, text, lambda part: PERSON, firm=FIRM)) == 1
    assert len(joined(seen, [True] * len(seen), text)) == len(seen)
    assert time.process_time() - start < 5
