"""Texts from templates: `{slot}` draws from a list, `(a|b)` one of the alternatives."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

Templates = Mapping[str, Sequence[str]]

_SLOT = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_DEEPEST = 12


def read(path: Path) -> dict[str, list[str]]:
    """The lists of a file."""
    with path.open("rb") as file:
        return tomllib.load(file)


def compose(template: str, slots: Templates, draw: random.Random) -> str:
    """One text of a template. Slots may hold templates, too."""
    made = template
    for _ in range(_DEEPEST):
        before = made
        made = _CHOICE.sub(lambda found: draw.choice(found[1].split("|")), made)
        made = _SLOT.sub(lambda found: _drawn(found, slots, draw), made)
        if made == before:
            break
    spaced = re.sub(r"(?<=\S) {2,}", " ", made.replace("{{", "{").replace("}}", "}"))
    return re.sub(r" ([.,;?!])(?= |$)", r"\1", spaced).strip(" ")


def _drawn(found: re.Match[str], slots: Templates, draw: random.Random) -> str:
    return draw.choice(slots[found[1]]) if found[1] in slots else found[0]


def varied(text: str, draw: random.Random) -> str:
    """The text as another hand would write it: case, a typing error, no full stop."""
    chance = draw.random()
    if chance < 0.15:
        text = text.lower()
    elif chance < 0.21:
        text = text.upper()
    elif chance < 0.27:
        text = text.capitalize()
    if draw.random() < 0.12:
        text = text.rstrip(".")
    return mistyped(text, draw) if draw.random() < 0.08 and len(text) > 20 else text


def mistyped(text: str, draw: random.Random) -> str:
    """The text, of three characters at least, with one left out, doubled or out of place."""
    at = draw.randrange(1, len(text) - 2)
    kind = draw.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at] + text[at:]
