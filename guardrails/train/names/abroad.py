"""Addresses as countries write them: the street before the number, the code before the town.

Streets and towns are those of a part's values; only how they stand is decided here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from skerry.guardrails.train.names.numbers import digits

Piece = tuple[str, str]

_LETTERS = "ABCEGHJKLMNPRSTVXYZ"
_PROVINCES = ("ON", "QC", "BC", "AB", "NS", "MB")
_AUSTRALIAN = ("NSW", "VIC", "QLD", "WA", "SA", "TAS")
_AMERICAN = ("AL", "AZ", "CO", "GA", "KY", "LA", "MD", "MN", "MO", "NC", "NJ", "OR", "PA", "TN",
             "UT", "VA", "WI")  # fmt: skip
_BRITISH = ("AB", "BN", "CB", "DE", "E", "GL", "HP", "IP", "KT", "LE", "MK", "NG", "PO", "RG", "SE",
            "TN", "W", "YO")  # fmt: skip
_HOUSES = ("Rose Cottage", "The Old Rectory", "Mill House", "Oak Lodge", "The Barn", "Block C",
           "Tower 2", "2nd Floor", "Floor 3", "c/o the porter", "Unit 4B", "Flat B", "Apt 12C",
           "#204", "Bldg 7", "Villa 9")  # fmt: skip


def british(draw: random.Random) -> str:
    """A postcode of Great Britain."""
    outward = f"{draw.choice(_BRITISH)}{draw.randint(1, 28)}"
    return f"{outward} {draw.randint(1, 9)}{draw.choice('ABDEFGHJLN')}{draw.choice('PQRSTUWXYZ')}"


def _canadian(draw: random.Random) -> str:
    one, two, three = (draw.choice(_LETTERS) for _ in range(3))
    a, b, c = (digits(draw, 1) for _ in range(3))
    return f"{one}{a}{two} {b}{three}{c}"


def _american(draw: random.Random) -> str:
    return digits(draw, 5) + (f"-{digits(draw, 4)}" if draw.random() < 0.2 else "")


def _dutch(draw: random.Random) -> str:
    return f"{draw.randint(1000, 9999)} {draw.choice(_LETTERS)}{draw.choice(_LETTERS)}"


def _irish(draw: random.Random) -> str:
    area = f"{draw.choice('ACDEFHKNPRTVWXY')}{digits(draw, 2)}"
    return f"{area} {draw.choice(_LETTERS)}{digits(draw, 3)}"


def _five(draw: random.Random) -> str:
    return digits(draw, 5)


def _four(draw: random.Random) -> str:
    return str(draw.randint(1000, 9999))


def _polish(draw: random.Random) -> str:
    return f"{digits(draw, 2)}-{digits(draw, 3)}"


def _gapped(draw: random.Random) -> str:
    return f"{digits(draw, 3)} {digits(draw, 2)}"


def _indian(draw: random.Random) -> str:
    return digits(draw, 6)


Code = Callable[[random.Random], str]
# What stands where: s street, n number, t town, c code, r region (no name), h house, | a gap
_FORMS: tuple[tuple[str, Code, Sequence[str]], ...] = (
    ("s n|c t", _five, ()), ("s n|c t", _four, ()), ("n s|c t", _five, ()), ("s, n|c t", _five, ()),
    ("s n|c t", _dutch, ()), ("s n|c t", _polish, ()), ("s n|c t", _gapped, ()),
    ("s n|t, c", _five, ()), ("s n, t", _five, ()), ("n s|t r c", _american, _AMERICAN),
    ("n s|t, r c", _american, _AMERICAN), ("n s|h|t, r c", _american, _AMERICAN),
    ("n s h|t, r, c", _american, _AMERICAN), ("n s|t r c", _canadian, _PROVINCES),
    ("n s|t, r c", _canadian, _PROVINCES), ("n s|t r c", _four, _AUSTRALIAN),
    ("n s|t, r, c", _four, _AUSTRALIAN), ("h|n s|t|c", british, ()), ("n s|t|c", british, ()),
    ("h, n s, t c", british, ()), ("h|s|t|c", british, ()), ("n s|t|c", _irish, ()),
    ("n, s|t-c", _indian, ()), ("h, n s|t c", _indian, ()), ("s n|t", _five, ()),
    ("n s|t", _five, ()), ("n s", _five, ()), ("s n", _five, ()), ("h, n s|t", _five, ()),
)  # fmt: skip


def address(draw: random.Random, street: str, town: str) -> list[Piece]:
    """An address of some country in pieces: house, street and town are a place, a code its own."""
    form, code, regions = draw.choice(_FORMS)
    gap = draw.choice((", ", ", ", "\n", "\n", " "))
    number = f"{draw.randint(1, 999)}{draw.choice(('', '', '', '', 'a', 'B', '/2', '-3'))}"
    region = draw.choice(regions) if regions else ""
    filled = {
        "s": (street, "place"), "n": (number, "place"), "t": (town, "place"),
        "c": (code(draw), "postcode"), "r": (region, ""), "h": (draw.choice(_HOUSES), "place"),
        "|": (gap, ""),
    }  # fmt: skip
    return [filled.get(mark, (mark, "")) for mark in form]
