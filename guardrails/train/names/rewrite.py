"""How people and forms write: other capitals, slips, no stop at the end. Spans stay where they are.

`compose.recased` is for texts that test; what is here is for those that train, a third of which is
in other capitals.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from skerry.guardrails.train.names.compose import Labelled, mistyped

_WORD = re.compile(r"\b[a-z]")
_LEAST_LETTERS = 5


def rewritten(one: Labelled, draw: random.Random) -> Labelled:
    """The text with a slip now and then, and in other capitals in a third of cases."""
    if draw.random() < 0.1:
        one = mistyped(one, draw)
    if draw.random() < 0.06:
        one = _misspelt(one, draw)
    return _recased(one, draw)


def _recased(one: Labelled, draw: random.Random) -> Labelled:
    form = draw.random()
    if form < 0.66:
        return one
    if form < 0.76:
        return _changed(one, one.text.lower())
    if form < 0.82:
        return _without_stop(_changed(one, one.text.lower()))
    if form < 0.90:
        return _changed(one, one.text.upper())
    if form < 0.93:
        return _changed(one, _WORD.sub(lambda match: match[0].upper(), one.text))
    return _names_alone(one, str.lower if form < 0.98 else str.upper, draw)


def _names_alone(one: Labelled, case: Callable[[str], str], draw: random.Random) -> Labelled:
    """Most names of the text in lower or upper case, the rest as it is."""
    text = one.text
    for start, end, _ in one.spans:
        if draw.random() < 0.7 and len(case(text[start:end])) == end - start:
            text = text[:start] + case(text[start:end]) + text[end:]
    return _changed(one, text)


def _without_stop(one: Labelled) -> Labelled:
    last = one.spans[-1][1] if one.spans else 0
    return (
        replace(one, text=one.text[:-1]) if one.text[-1:] in ".?!" and last < len(one.text) else one
    )


def _changed(one: Labelled, text: str) -> Labelled:
    return replace(one, text=text) if len(text) == len(one.text) else one


def _misspelt(one: Labelled, draw: random.Random) -> Labelled:
    """A letter of a name written as another: no list has every spelling."""
    places = [
        at
        for start, end, _ in one.spans
        if end - start >= _LEAST_LETTERS
        for at in range(start + 1, end)
        if one.text[at].isascii() and one.text[at].islower()
    ]
    if not places:
        return one
    at = draw.choice(places)
    letter = draw.choice("abcdefghiklmnoprstuvwyz")
    return replace(one, text=one.text[:at] + letter + one.text[at + 1 :])
