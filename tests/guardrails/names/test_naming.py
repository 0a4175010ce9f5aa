"""Where a name ends and another begins, and what each names; what is written like none."""

from __future__ import annotations

import re

import pytest

from skerry.guardrails.names import fusion, naming
from skerry.guardrails.names.classifier import Word
from skerry.guardrails.screen import screen_whole

PERSON, PLACE, ORGANISATION = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9)
LIKELY_PERSON, LIKELY_FIRM = (0.6, 0.05, 0.3), (0.3, 0.05, 0.6)
NONE, WEAK = (0.0, 0.0, 0.0), (0.3, 0.0, 0.0)


def words(text: str, *chances: tuple[float, ...]) -> list[Word]:
    parts = list(re.finditer(r"\w+|[^\w\s]", text))
    assert len(parts) == len(chances)
    return [Word(*part.span(), chance) for part, chance in zip(parts, chances, strict=True)]


def named(text: str, *chances: tuple[float, ...]) -> list[tuple[str, str]]:
    found = words(text, *chances)
    names = naming.named(found, [sum(one.chances) > 0.1 for one in found], text)
    return [(text[one.start : one.end], one.label) for one in names]


def test_words_of_one_name_may_look_like_several_classes() -> None:
    assert named("Oxana Harlech", LIKELY_PERSON, LIKELY_FIRM) == [("Oxana Harlech", "person")]
    assert named("Oxana Harlech Leeds", PERSON, PERSON, PLACE)[1:] == [("Leeds", "place")]


def test_a_mark_parts_names_of_two_classes() -> None:
    text = "Oxana, Harlech"
    assert named(text, LIKELY_PERSON, LIKELY_PERSON, LIKELY_FIRM) == [
        ("Oxana", "person"),
        ("Harlech", "organisation"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Oxana and Harlech", ["Oxana", "Harlech"]),
        ("Oxana v Harlech", ["Oxana", "Harlech"]),
        ("and Oxana or", ["Oxana"]),
    ],
)
def test_linking_words_are_no_part_of_people(text: str, found: list[str]) -> None:
    assert [one for one, _ in named(text, PERSON, PERSON, PERSON)] == found


def test_a_firm_may_have_two_names() -> None:
    text = "Oxana and Harlech"
    assert named(text, *[ORGANISATION] * 3) == [(text, "organisation")]


def test_a_verb_in_small_letters_parts_names() -> None:
    assert named("Oxana parks Harlech", PERSON, WEAK, PERSON) == [
        ("Oxana", "person"),
        ("Harlech", "person"),
    ]
    assert named("Oxana van Harlech", PERSON, WEAK, PERSON) == [("Oxana van Harlech", "person")]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("City: Harlech", "place"),
        ("flight to Harlech", "place"),
        ("lives in Harlech", "place"),
        ("Company: Harlech", "organisation"),
        ("Nurse Harlech", "person"),
        ("Harlech (2019)", "person"),
        ("Harlech et al.", "person"),
    ],
)
def test_words_around_say_what_is_named(text: str, label: str) -> None:
    for chance in (PERSON, PLACE, ORGANISATION):
        chances = [
            chance if one[0] == "Harlech" else NONE for one in re.findall(r"(\w+|[^\w\s])()", text)
        ]
        assert named(text, *chances) == [("Harlech", label)]


def test_a_title_is_no_part_of_a_name() -> None:
    assert named("Matron Harlech", PERSON, PERSON) == [("Harlech", "person")]


def test_the_form_of_a_firm_is_part_of_its_name() -> None:
    assert named("Harlech Holdings", PERSON, NONE) == [("Harlech Holdings", "organisation")]


def test_a_few_digits_are_a_place_beside_one() -> None:
    assert named("12 Harlech", PLACE, PLACE) == [("12 Harlech", "place")]
    assert named("12, Harlech", PLACE, NONE, PLACE) == [("12", "place"), ("Harlech", "place")]
    assert named("Oxana, 36, of Leeds", PERSON, NONE, PLACE, NONE, NONE, PLACE) == [
        ("Oxana", "person"),
        ("Leeds", "place"),
    ]


def test_the_label_of_a_field_is_no_name() -> None:
    assert named("Oxana\nCity: Leeds", PERSON, PERSON, NONE, PLACE) == [
        ("Oxana", "person"),
        ("Leeds", "place"),
    ]


class Given:
    def __init__(self, *chances: float) -> None:
        self._chances = chances

    def words(self, text: str) -> list[Word]:
        return words(text, *[(one, 0.0, 0.0) for one in self._chances])


@pytest.mark.parametrize(
    ("text", "chance", "counts"),
    [
        ("Notes stent", 0.4, False),
        ("notes stent", 0.4, True),
        ("Notes Stent", 0.4, True),
        ("Notes EKG", 0.8, False),
        ("NOTES EKG", 0.8, True),
        ("Notes Leanne", 0.2, True),
    ],
)
def test_letters_that_names_seldom_have_need_more(
    text: str, chance: float, *, counts: bool
) -> None:
    assert bool(fusion.names(Given(0.0, chance), text)) is counts


@pytest.mark.parametrize("text", ["Zofran 4 mg", "taking Zofran", "dose of Zofran"])
def test_where_a_drug_stands_a_name_is_sure(text: str) -> None:
    parts = re.findall(r"\w+", text)
    for chance, counts in ((0.7, False), (0.9, True)):
        given = Given(*[chance if one == "Zofran" else 0.0 for one in parts])
        assert bool(fusion.names(given, text)) is counts


def test_i_may_be_an_initial() -> None:
    text = "Pay I Calvorsen"
    (name,) = fusion.names(Given(0.0, 0.12, 0.95), text)
    assert text[name.start : name.end] == "I Calvorsen"
    (name,) = fusion.names(Given(0.0, 0.01, 0.95), text)
    assert text[name.start : name.end] == "Calvorsen"


def test_a_title_before_a_name_does_not_take_the_flat_along() -> None:
    text = "Mrs. Hayler Gutio Apartment 165, 710 Skaid Avenue"
    found = [(text[one.start : one.end], one.label) for one in screen_whole(text)]
    assert found[0] == ("Hayler Gutio", "person")
