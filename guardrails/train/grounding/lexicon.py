"""Words and made-up values by kind: those for training and those kept for the report."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

_MONTHS = """January February March April May June July August September October November
    December""".split()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Lists of `lexicon.toml`: `train` or `held_out`."""

    words: Mapping[str, Sequence[str]]

    def value(self, kind: str, draw: random.Random) -> str:
        """A word of a kind, or a number, time or date of chance."""
        if kind in _MADE:
            return _MADE[kind](draw)
        return draw.choice(self.words[kind])

    def pairs(self, kind: str) -> list[tuple[str, str]]:
        """`a/b` entries, both ways round."""
        split = [entry.split("/") for entry in self.words[kind]]
        return [(a, b) for a, b in split] + [(b, a) for a, b in split]


@cache
def lexicon(part: str) -> Lexicon:
    """The lists of one part, `train` or `held_out`."""
    text = resources.files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
    return Lexicon({kind: _entries(parts[part]) for kind, parts in tomllib.loads(text).items()})


def _entries(text: str) -> list[str]:
    return [" ".join(entry.split()) for entry in text.split(",")]


def _time(draw: random.Random) -> str:
    hour, minute = draw.randrange(6, 22), draw.choice((0, 0, 15, 30, 45))
    if draw.random() < 0.6:
        return f"{hour:02}:{minute:02}"
    half = "am" if hour < 12 else "pm"
    return f"{(hour - 1) % 12 + 1}{f':{minute:02}' if minute else ''} {half}"


def _dose(draw: random.Random) -> str:
    unit, sizes = draw.choice(
        (
            ("mg", (5, 10, 15, 20, 25, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500)),
            ("g", (1, 2, 3, 4)),
            ("ml", (2, 3, 5, 10, 15, 20, 50)),
            ("micrograms", (25, 50, 75, 100, 200)),
            ("units", (4, 6, 10, 12, 20)),
            ("tablets", (1, 2, 3)),
        )
    )
    return f"{draw.choice(sizes)} {unit}"


def _date(draw: random.Random) -> str:
    return f"{draw.randrange(1, 29)} {draw.choice(_MONTHS)} {draw.randrange(1990, 2027)}"


_MADE: Mapping[str, Callable[[random.Random], str]] = {
    "number": lambda draw: str(draw.randrange(10, 400)),
    "small": lambda draw: str(draw.randrange(2, 10)),
    "year": lambda draw: str(draw.randrange(1850, 2024)),
    "months": lambda draw: f"{draw.randrange(2, 31)} {draw.choice(('days', 'weeks', 'months'))}",
    "money": lambda draw: f"{draw.randrange(3, 900)} {draw.choice(('pounds', 'euros', 'dollars'))}",
    "time": _time,
    "dose": _dose,
    "date": _date,
}
