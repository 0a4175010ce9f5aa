"""Numbers that are written out: "twenty-five", "two hundred and ten", "twice"."""

from __future__ import annotations

from collections.abc import Sequence

_SMALL = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen""".split()
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_DECADES = {
    word: 10 * value
    for value, word in enumerate(
        "twenties thirties forties fifties sixties seventies eighties nineties".split(), 2
    )
}
_CENTURIES = range(13, 21)  # "nineteen eighty-five": what a year may begin with
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ALONE = {"twice": 2, "thrice": 3, "dozen": 12, **_DECADES}
STARTS = frozenset({*_SMALL, *_TENS, *_ALONE})


def read(tokens: Sequence[str]) -> tuple[int, int] | None:
    """The number that begins `tokens` (lower case), and how many of them it takes."""
    if not tokens or tokens[0] not in STARTS:
        return None
    if tokens[0] in _ALONE:
        return _ALONE[tokens[0]], 1
    if year := _year(tokens):
        return year
    total, part, at = 0, 0, 0
    while at < len(tokens) and (step := _step(tokens, at, part)) is not None:
        part, scaled, at = step
        if scaled:
            total, part = total + part, 0
    return total + part, at


def _year(tokens: Sequence[str]) -> tuple[int, int] | None:
    """A year as it is spoken ("nineteen ninety-four"), and how many tokens it takes."""
    century = {**_SMALL, **_TENS}.get(tokens[0], 0)
    if century not in _CENTURIES or len(tokens) < 2 or tokens[1] not in _TENS:
        return None
    value, size = 100 * century + _TENS[tokens[1]], 2
    at = 3 if tokens[2:3] == ["-"] else 2
    if at < len(tokens) and 0 < _SMALL.get(tokens[at], 0) < 10:
        value, size = value + _SMALL[tokens[at]], at + 1
    return value, size


def _step(tokens: Sequence[str], at: int, part: int) -> tuple[int, bool, int] | None:
    """One word more: the part so far, whether it is complete, and the next place."""
    word = tokens[at]
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    if word in _SCALES and at:
        value = (part or 1) * _SCALES[word]
        return (value, False, at + 1) if word == "hundred" else (value, True, at + 1)
    if word in {"and", "-"} and at and (following in _SMALL or following in _TENS):
        joins = part % 100 == 0 if word == "and" else part % 10 == 0
        return (part, False, at + 1) if joins and tokens[at - 1] in {*_SCALES, *_TENS} else None
    if word in _TENS and part % 100 == 0:
        return part + _TENS[word], False, at + 1
    fits = part % 100 == 0 or (part % 10 == 0 and part % 100 >= 20 and _SMALL.get(word, 10) < 10)
    return (part + _SMALL[word], False, at + 1) if word in _SMALL and fits else None
