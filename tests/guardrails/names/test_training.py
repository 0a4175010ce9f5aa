"""The texts that train, choose and test: apart, the same for every process, and labelled right."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest

pytest.importorskip("faker")

from skerry.guardrails.names.encoding import LABELS
from skerry.guardrails.train.names import (
    abroad,
    carriers,
    errors,
    evaluate,
    layouts,
    rewrite,
    sources,
)
from skerry.guardrails.train.names.compose import Filler, Labelled
from skerry.guardrails.train.names.parts import Part, split
from skerry.guardrails.train.names.values import more, part_of, values
from skerry.guardrails.train.names.wide import WideFiller

SHARES = {Part.TEST: 64, Part.DEVELOPMENT: 64}
TRAINED = (
    "clinical", "everyday", "office", "news", "records", "service", "talk", "various", "questions",
    "letters", "wards", "chats", "tickets", "prose", "contexts",
)  # fmt: skip
BENIGN = ("benign", "benign_documents", "more_benign")
_WORDS = re.compile(r"\{\w+\}|\w+")


@pytest.fixture(scope="module")
def filler() -> WideFiller:
    return WideFiller(values(["Acme Robotics"], 0, Part.TRAINING), random.Random(1))


def test_parts_are_apart_and_the_whole_is_what_does_not_test() -> None:
    found = [split(f"name {number}", SHARES) for number in range(400)]
    assert set(found) == {Part.TRAINING, Part.DEVELOPMENT, Part.TEST}
    assert Part.WHOLE.seen == {Part.TRAINING, Part.DEVELOPMENT}
    assert Part.TEST.seen == {Part.TEST}


def test_no_name_of_the_test_is_trained_on() -> None:
    whole, test = (values([], 0, part) for part in (Part.WHOLE, Part.TEST))
    for kind in ("first", "last", "cities", "streets", "companies"):
        assert not set(getattr(whole, kind)) & set(getattr(test, kind))
    assert all(part_of(one) is Part.TEST for one in test.first)


def test_no_template_of_ours_has_the_words_of_one_that_tests() -> None:
    held = {run for name in ("held_out", "benign_held_out") for run in _runs(name)}
    shared = {run for name in (*TRAINED, *BENIGN) for run in _runs(name)} & held
    assert [run for run in shared if sum(not one.startswith("{") for one in run) > 2] == []


def _runs(name: str, length: int = 5) -> set[tuple[str, ...]]:
    lines = [_WORDS.findall(line.lower()) for line in sources.own_templates(name)]
    return {tuple(line[at : at + length]) for line in lines for at in range(len(line) - length + 1)}


DRAWN = """
from skerry.guardrails.train.names.values import values
from skerry.guardrails.train.names.parts import Part
import hashlib
print(hashlib.sha256(repr(values([], 0, Part.TEST)).encode()).hexdigest())
"""


def test_names_are_the_same_in_every_process() -> None:
    """Python orders sets anew in every process; no figure may hang on that."""
    made = {
        subprocess.run(
            [sys.executable, "-c", DRAWN],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


@pytest.mark.parametrize("name", [*TRAINED, *BENIGN])
def test_every_template_can_be_filled(name: str, filler: WideFiller) -> None:
    for line in sources.own_templates(name):
        one = filler.fill(line)
        assert "{" not in line or "{" not in one.text or name == "benign_documents"
        named = [label for _, _, label in one.spans if label in LABELS]
        assert bool(named) is (name in TRAINED), line


def test_wider_forms_are_labelled_where_they_stand(filler: WideFiller) -> None:
    for _ in range(300):
        one = filler.fill("Ask {person} of {org}, {address} ({place}, {street}, {postcode}).")
        assert one.text.startswith("Ask ")
        assert one.text.endswith(").")
        assert all(0 <= start < end <= len(one.text) for start, end, _ in one.spans)
        assert all(
            left[1] <= right[0] for left, right in zip(one.spans, one.spans[1:], strict=False)
        )
        assert {"person", "organisation", "place"} <= {label for _, _, label in one.spans}


def test_the_test_keeps_its_narrow_forms(filler: WideFiller) -> None:
    one = Filler(filler.values, random.Random(3)).fill("{street}")
    assert "\n" not in one.text
    assert one.spans[0][2] == "place"


def test_an_address_has_its_street_its_town_and_no_state() -> None:
    draw = random.Random(4)
    for _ in range(300):
        pieces = abroad.address(draw, "Mill Lane", "Leeds")
        assert ("Mill Lane", "place") in pieces
        assert all(label for text, label in pieces if any(c.isdigit() for c in text))


@pytest.mark.parametrize("seed", range(60))
def test_spans_stay_where_they_are_however_a_text_is_rewritten(seed: int) -> None:
    one = Labelled("Please compare Leanne Okafor's results.", ((15, 28, "person"),))
    made = rewrite.rewritten(one, random.Random(seed))
    assert made.spans == one.spans
    assert made.text[15:28].lower()[0] == "l"
    assert made.text[28:].lower().startswith("'s")


@pytest.mark.parametrize(
    ("sentence", "made"),
    [
        ("Betty saved 100 pounds.", "{first} saved 100 pounds."),
        ("In May Betty and Weng met.", "In May {first} and {first} met."),
        ("Betty went to Starbucks.", ""),
        ("Nobody saved a pound.", ""),
        ("Rose met Betty.", ""),
    ],
)
def test_people_in_stories_become_slots(sentence: str, made: str) -> None:
    known = frozenset(("Betty", "Weng", "Rose"))
    assert carriers._slotted(sentence, known, {"saved", "nobody", "in", "rose"}) == made


@pytest.mark.parametrize("seed", range(20))
def test_a_name_takes_the_place_of_a_thing(seed: int) -> None:
    sentence = "i want to cancel my card at the bank branch"
    made = carriers.planted(sentence, random.Random(seed))
    assert "{" in made
    assert made != sentence


def test_the_table_of_errors_says_what_leaks() -> None:
    one = Labelled("Ada Lovelace of Leeds", ((0, 12, "person"), (16, 21, "place")))
    made = errors.errors(lambda _: [(0, 3, "person"), (13, 15, "place")], [one])
    assert made.cut == {"person": 1}
    assert made.missed == {"place": 1}
    assert made.extra == {"place": 1}
    assert made.left == {"person": 8, "place": 5}
    rows = list(errors.table(made))
    assert rows[1].split() == ["person", "1", "0", "1", "0", "61.5%"]
    assert evaluate.measure(lambda _: [(0, 3, "person")], [one]).leak_rate == pytest.approx(13 / 16)


def test_layouts_have_slots_that_can_be_filled(filler: WideFiller) -> None:
    draw = random.Random(5)
    for _ in range(400):
        template = layouts.layout(draw)
        one = filler.fill(template)
        assert one.spans == () or one.spans[-1][1] <= len(one.text)
        assert not re.search(r"\{\w+\}", one.text)


def test_no_layout_has_the_words_of_a_text_that_tests() -> None:
    """A layout is drawn anew each time: what it is put together from says as much."""
    held = {run for name in ("held_out", "benign_held_out") for run in _runs(name)}
    draw = random.Random(6)
    for _ in range(2000):
        words = _WORDS.findall(layouts.layout(draw).lower())
        runs = {tuple(words[at : at + 5]) for at in range(len(words) - 4)}
        shared = [run for run in runs & held if sum(not one.startswith("{") for one in run) > 2]
        assert shared == []


def test_further_names_keep_to_their_part() -> None:
    for part in (Part.TRAINING, Part.DEVELOPMENT):
        assert all(part_of(one) is part for found in more(part).values() for one in found)
    assert all(
        part_of(one) is not Part.TEST for found in more(Part.WHOLE).values() for one in found
    )
