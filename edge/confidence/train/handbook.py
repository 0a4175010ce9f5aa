"""Questions about the pages of an invented handbook, made from `handbook.toml` by a seeded draw."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from skerry.edge.confidence.train.questions import Collection, Gold, Page, Question, halved

NAME = "handbook"
_STATED = 4  # attributes that a page states, of nine
_FILLERS = 2


@dataclass(frozen=True, slots=True)
class Handbook:
    """`handbook.toml`: what there is, and how one speaks of it."""

    things: Sequence[str]
    words: Mapping[str, Sequence[str]]
    attributes: Sequence[Mapping[str, Any]]
    fillers: Sequence[str]


def load(seed: int) -> tuple[Collection, Collection]:
    """(train, test), split by thing: no thing is in both."""
    book = _read()
    draw = random.Random(seed)
    train, test = halved(draw.sample(list(book.things), len(book.things)), 2 / 3)
    return _collection(book, train, draw), _collection(book, test, draw)


def _read() -> Handbook:
    text = resources.files(__package__).joinpath("handbook.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    words = {
        "place": given["places"],
        "role": given["roles"],
        "day": given["days"],
        "name": given["names"],
    }
    fillers = [one["sentence"] for one in given["filler"]]
    return Handbook(given["things"], words, given["attribute"], fillers)


def _collection(book: Handbook, things: Sequence[str], draw: random.Random) -> Collection:
    pages, questions = [], []
    for thing in things:
        name = thing.replace(" ", "-").lower()
        values = _values(book, thing, draw)
        attributes = draw.sample(list(book.attributes), len(book.attributes))
        pages.append(Page(name, thing.capitalize(), _text(book, attributes, values, draw)))
        for attribute in draw.sample([*attributes[:_STATED], attributes[-1], attributes[-2]], 6):
            text = draw.choice(attribute["questions"]).format(**values)
            gold = Gold((values[attribute["slot"]],))
            questions.append(
                Question(f"handbook-{name}-{attribute['slot']}", text, gold, thing.capitalize())
            )
    return Collection(NAME, tuple(pages), tuple(draw.sample(questions, len(questions))))


def _values(book: Handbook, thing: str, draw: random.Random) -> dict[str, str]:
    """What is true of `thing`: a value for every slot."""
    return {
        "thing": thing,
        **{slot: draw.choice(list(choices)) for slot, choices in book.words.items()},
        "time": f"{draw.randrange(6, 11):02d}:{draw.choice(('00', '15', '30', '45'))}",
        "small": str(draw.randrange(2, 37)),
        "extension": str(draw.randrange(200, 900)),
        "number": str(draw.randrange(20, 990) * 10),
        "code": f"{draw.choice('ABCDEFGH')}{draw.randrange(100, 999)}",
    }


def _text(
    book: Handbook,
    attributes: Sequence[Mapping[str, Any]],
    values: Mapping[str, str],
    draw: random.Random,
) -> str:
    """A page that states the first attributes, with sentences around them that answer nothing."""
    stated = [draw.choice(one["sentences"]) for one in attributes[:_STATED]]
    said = stated + draw.sample(list(book.fillers), _FILLERS)
    return " ".join(one.format(**values) for one in draw.sample(said, len(said)))
