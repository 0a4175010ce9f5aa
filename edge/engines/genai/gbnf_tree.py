"""Reads GBNF, llama.cpp's grammar format, into a small tree.

What no engine should be given (left recursion, missing rules, huge repetitions) is refused before,
by `skerry.edge.engines.gbnf`. How a tree is written for GenAI is left to `lark.py`.

Syntax: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from skerry.edge.engines.gbnf import check_gbnf
from skerry.edge.errors import GrammarError

_SPACE = re.compile(r"(?:[ \t]|#[^\r\n]*)*")
_SPACE_AND_LINES = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_NAME = re.compile(r"[a-zA-Z0-9-]+")
_BRACES = re.compile(r"\{[ \t]*(\d{1,10})[ \t]*(,)?[ \t]*(\d{1,10})?[ \t]*\}")
_PLAIN_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]"}
_HEX_ESCAPES = {"x": 2, "u": 4, "U": 8}


@dataclass(frozen=True, slots=True)
class Literal:
    text: str


@dataclass(frozen=True, slots=True)
class CharClass:
    """One code point: in one of `ranges` (first and last, both included), or in none."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class RuleRef:
    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` None means without end."""

    item: Node
    least: int
    most: int | None


Node = Literal | CharClass | RuleRef | Sequence | Choice | Repeat
ANY_CHAR = CharClass((), negated=True)


def parse_gbnf(grammar: str) -> dict[str, Node]:
    """The rules of a grammar by name; `root` is among them.

    Raises:
        GrammarError: the grammar does not parse, or is unsafe.
    """
    check_gbnf(grammar)
    return _Reader(grammar).rules()


class _Reader:
    """A recursive-descent reader; `at` is the offset of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def rules(self) -> dict[str, Node]:
        found: dict[str, Node] = {}
        self._skip(_SPACE_AND_LINES)
        while self._at < len(self._text):
            name = self._name()
            self._skip(_SPACE)
            if not self._take("::="):
                raise self._unexpected(f"::= after the rule name {name}")
            self._skip(_SPACE_AND_LINES)
            found[name] = self._choice(nested=False)
            if self._at < len(self._text) and self._text[self._at] not in "\r\n":
                raise self._unexpected(f"the end of rule {name}")
            self._skip(_SPACE_AND_LINES)
        return found

    def _choice(self, *, nested: bool) -> Node:
        options = [self._sequence(nested=nested)]
        while self._take("|"):
            self._skip(_SPACE_AND_LINES)
            options.append(self._sequence(nested=nested))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, *, nested: bool) -> Node:
        items: list[Node] = []
        gap = _SPACE_AND_LINES if nested else _SPACE
        self._skip(gap)
        while (item := self._item()) is not None:
            self._skip(gap)
            while (repeated := self._repeat(item)) is not None:
                item = repeated
                self._skip(gap)
            items.append(item)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _item(self) -> Node | None:
        """The next literal, class, group or name; None where the sequence ends."""
        if self._take('"'):
            return Literal(self._literal())
        if self._take("["):
            return self._char_class()
        if self._take("("):
            return self._group()
        if self._take("."):
            return ANY_CHAR
        return RuleRef(self._name()) if _NAME.match(self._text, self._at) else None

    def _group(self) -> Node:
        inner = self._choice(nested=True)
        if not self._take(")"):
            raise self._unexpected("a closing )")
        return inner

    def _repeat(self, item: Node) -> Node | None:
        """`item` under the repetition mark that follows; None if none does."""
        for mark, (least, most) in {"*": (0, None), "+": (1, None), "?": (0, 1)}.items():
            if self._take(mark):
                return Repeat(item, least, most)
        if not self._text.startswith("{", self._at):
            return None
        if (braces := _BRACES.match(self._text, self._at)) is None:
            raise self._unexpected("a repetition such as {2}, {2,} or {2,5}")
        self._at = braces.end()
        return _counted(item, braces[1], braces[2], braces[3])

    def _literal(self) -> str:
        text = []
        while not self._take('"'):
            text.append(self._char())
        return "".join(text)

    def _char_class(self) -> CharClass:
        negated = self._take("^")
        ranges = []
        while not self._take("]"):
            first = last = ord(self._char())
            if self._text[self._at : self._at + 1] == "-" and not self._text.startswith(
                "-]", self._at
            ):
                self._at += 1
                last = ord(self._char())
            if last < first:
                raise self._unexpected("a range from low to high")
            ranges.append((first, last))
        if not ranges and not negated:
            raise self._unexpected("a character in the class")
        return CharClass(tuple(ranges), negated)

    def _char(self) -> str:
        """One character of a literal or class, its escape resolved."""
        if self._at >= len(self._text):
            raise self._unexpected("the end of a literal or class")
        char = self._text[self._at]
        self._at += 1
        if char in "\x00\r\n":
            raise self._unexpected("no bare line end or NUL in a literal or class")
        return self._escape() if char == "\\" else char

    def _escape(self) -> str:
        kind = self._text[self._at : self._at + 1]
        self._at += 1
        if kind in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[kind]
        width = _HEX_ESCAPES.get(kind, 0)
        digits = self._text[self._at : self._at + width]
        if not width or len(digits) < width or not re.fullmatch(r"[0-9a-fA-F]+", digits):
            raise self._unexpected('a known escape (\\n, \\", \\x41, \\u00e9, …)')
        self._at += width
        if (code := int(digits, 16)) > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise self._unexpected("a Unicode character")
        return chr(code)

    def _name(self) -> str:
        if (match := _NAME.match(self._text, self._at)) is None:
            raise self._unexpected("the name of a rule")
        self._at = match.end()
        return match[0]

    def _skip(self, gap: re.Pattern[str]) -> None:
        match = gap.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _take(self, text: str) -> bool:
        taken = self._text.startswith(text, self._at)
        self._at += len(text) if taken else 0
        return taken

    def _unexpected(self, wanted: str) -> GrammarError:
        line = self._text.count("\n", 0, self._at) + 1
        return GrammarError(
            f"the grammar does not parse at line {line}: expected {wanted}",
            hint='write rules like: root ::= "yes" | "no"',
        )


def _counted(item: Node, least: str, comma: str | None, most: str | None) -> Node:
    if most:
        return Repeat(item, int(least), int(most))
    return Repeat(item, int(least), None if comma else int(least))
