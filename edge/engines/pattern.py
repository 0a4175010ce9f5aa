"""A regular expression as GBNF for the inside of a JSON string.

Knows the interoperable subset that JSON Schema recommends (2020-12, core 6.4): literals, classes,
groups, alternation, quantifiers, anchors at the ends. What a class or a dot matches is narrowed to
characters that need no escape in JSON; a literal is written escaped.
"""

from __future__ import annotations

import json

from skerry.edge.engines.gbnf import MAX_REPEAT
from skerry.edge.errors import GrammarError

Ranges = list[tuple[int, int]]

_MAX_CHARACTERS = 2000
_MAX_DEPTH = 32
_LAST = 0x10FFFF
_ESCAPED_IN_JSON: Ranges = [(0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F), (0xD800, 0xDFFF)]
_CLASSES: dict[str, Ranges] = {
    "d": [(0x30, 0x39)],
    "w": [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)],
    "s": [(0x20, 0x20)],
}
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_NOT_LITERAL = frozenset("^$*+?{")


def literal(text: str) -> str:
    """GBNF that matches exactly `text`."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def repeated(item: str, least: int, most: int | None) -> str:
    """GBNF for `least` to `most` (None: any number) of `item`, a single GBNF item."""
    if (least, most) in _SHORT:
        return item + _SHORT[least, most]
    return f"{item}{{{least},{'' if most is None else most}}}"


_SHORT: dict[tuple[int, int | None], str] = {
    (0, None): "*",
    (1, None): "+",
    (0, 1): "?",
    (1, 1): "",
}


def pattern_to_gbnf(pattern: str) -> str:
    """GBNF for the strings that match `pattern`; without anchors, text may stand around it.

    Raises:
        GrammarError: it is malformed, too long or nested too deeply, or uses look-around,
            back-references or the like.
    """
    if len(pattern) > _MAX_CHARACTERS:
        raise GrammarError(
            f"a pattern has {len(pattern):,} characters; at most {_MAX_CHARACTERS:,} are taken",
            hint="shorten the pattern",
        )
    return _Parser(pattern).expression()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    def expression(self) -> str:
        start = "" if self._take("^") else _class(_ANY) + "* "
        inner = self._alternatives()
        end = "" if self._take("$") else " " + _class(_ANY) + "*"
        if self._at < len(self._pattern):
            raise self._error("unexpected")
        return f"{start}{inner}{end}"

    def _alternatives(self) -> str:
        found = [self._sequence()]
        while self._take("|"):
            found.append(self._sequence())
        return f"({' | '.join(found)})"

    def _sequence(self) -> str:
        items = []
        while (char := self._peek()) and char not in "|)" and not self._at_end_anchor():
            items.append(self._quantified(self._atom()))
        return " ".join(items) or '""'

    def _at_end_anchor(self) -> bool:
        return self._pattern[self._at :] == "$"

    def _atom(self) -> str:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return _class(self._set())
        if char == ".":
            return _class(_ANY)
        if char == "\\":
            return self._escape()
        if char in _NOT_LITERAL:
            raise self._error("unexpected", back=1)
        return _character(char)

    def _group(self) -> str:
        if self._take("?") and not self._take(":"):
            raise self._error("look-around and named groups are not supported:")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error(f"more than {_MAX_DEPTH} groups inside each other:")
        inner = self._alternatives()
        if not self._take(")"):
            raise self._error("a group is not closed:")
        self._depth -= 1
        return inner

    def _escape(self) -> str:
        char = self._next()
        if char.lower() in _CLASSES:
            return _class(_named(char))
        return _character(self._escaped(char))

    def _escaped(self, char: str) -> str:
        """The character that a backslash and `char` mean."""
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char in "xu":
            digits = 2 if char == "x" else 4
            return chr(self._hex(digits))
        if char.isalnum():
            raise self._error("not supported: the escape", back=2)
        return char

    def _hex(self, digits: int) -> int:
        text = self._pattern[self._at : self._at + digits]
        self._at += digits
        try:
            return int(text, 16)
        except ValueError:
            raise self._error("not hexadecimal:", back=digits) from None

    def _set(self) -> Ranges:
        negated = self._take("^")
        ranges: Ranges = []
        while not self._take("]"):
            ranges += self._set_item()
        return _complement(ranges) if negated else ranges

    def _set_item(self) -> Ranges:
        low = self._set_member()
        if isinstance(low, list):
            return low
        if self._peek() != "-" or self._pattern[self._at + 1 : self._at + 2] in {"]", ""}:
            return [(low, low)]
        self._next()
        high = self._set_member()
        if isinstance(high, list) or high < low:
            raise self._error("a range from more to less before")
        return [(low, high)]

    def _set_member(self) -> int | Ranges:
        char = self._next()
        if char != "\\":
            return ord(char)
        char = self._next()
        return _named(char) if char.lower() in _CLASSES else ord(self._escaped(char))

    def _quantified(self, item: str) -> str:
        char = self._peek()
        if char not in {"*", "+", "?", "{"}:
            return item
        self._next()
        least, most = self._counts() if char == "{" else _COUNTS[char]
        self._take("?")  # lazy or greedy, the same strings match
        return repeated(item, least, most)

    def _counts(self) -> tuple[int, int | None]:
        inside, closed, _ = self._pattern[self._at :].partition("}")
        low, comma, high = inside.partition(",")
        if not closed or not low.isdecimal() or (high and not high.isdecimal()):
            raise self._error("malformed repetition", back=1)
        self._at += len(inside) + 1
        least, most = int(low), int(high) if high else None if comma else int(low)
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise self._error(f"a repetition beyond {MAX_REPEAT} or from more to fewer before")
        return least, most

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        if not char:
            raise self._error("it ends too early:")
        self._at += 1
        return char

    def _take(self, char: str) -> bool:
        found = self._peek() == char
        self._at += found
        return found

    def _error(self, problem: str, back: int = 0) -> GrammarError:
        where = self._pattern[max(0, self._at - back) :][:20]
        return GrammarError(
            f"the pattern {self._pattern[:80]!r} cannot be used: {problem} {where!r}",
            hint="use literals, classes, groups, | and quantifiers, with ^ and $ at the ends",
        )


_COUNTS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def _character(char: str) -> str:
    """A character as it stands in a JSON string."""
    return literal(json.dumps(char, ensure_ascii=False)[1:-1])


def _named(char: str) -> Ranges:
    ranges = _CLASSES[char.lower()]
    return ranges if char.islower() else _complement(ranges)


def _complement(ranges: Ranges) -> Ranges:
    gaps, start = [], 0
    for low, high in sorted(ranges):
        if start < low:
            gaps.append((start, low - 1))
        start = max(start, high + 1)
    return [*gaps, (start, _LAST)] if start <= _LAST else gaps


def _class(ranges: Ranges) -> str:
    """A GBNF class of the characters of `ranges` that JSON writes plainly."""
    plain = _complement(_complement(ranges) + _ESCAPED_IN_JSON)
    if not plain:
        raise GrammarError(
            "a pattern has a class without a character that JSON writes plainly",
            hint="leave quotes, backslashes and control characters out of classes",
        )
    return "[" + "".join(f"{_code(low)}-{_code(high)}" for low, high in plain) + "]"


def _code(point: int) -> str:
    if chr(point).isascii() and chr(point).isalnum():
        return chr(point)
    return f"\\U{point:08X}"


_ANY: Ranges = [(0, _LAST)]
