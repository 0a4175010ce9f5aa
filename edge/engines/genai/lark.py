"""Writes a GBNF tree in llguidance's Lark dialect, which ONNX Runtime GenAI's guidance takes.

Every character class becomes a lexeme of one character. That keeps the grammar's meaning except
in one respect: llguidance's lexer is greedy, so of two readings that share a prefix only the
longer literal may remain open. The output always matches the grammar.

Source of the dialect: https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from skerry.edge.engines.genai.gbnf_tree import (
    CharClass,
    Choice,
    Literal,
    Node,
    Repeat,
    RuleRef,
    Sequence,
    parse_gbnf,
)

# Bytes that the grammar forces would be tokenised as text: GenAI makes a lone half of a UTF-8
# character into U+FFFD, which the grammar then refuses. Without forcing it never happens.
_OPTIONS = '%llguidance {"no_forcing": true}\n'


def lark_of_gbnf(grammar: str) -> str:
    """The same grammar as Lark text.

    Raises:
        GrammarError: the grammar cannot be used.
    """
    rules = parse_gbnf(grammar)
    names = {name: f"r{number}" for number, name in enumerate(rules)} | {"root": "start"}
    lines = (f"{names[name]}: {_text(node, names)}" for name, node in rules.items())
    return _OPTIONS + "\n".join(lines) + "\n"


def _text(node: Node, names: Mapping[str, str]) -> str:
    if isinstance(node, Literal):
        return json.dumps(node.text)
    if isinstance(node, CharClass):
        return _class_text(node)
    if isinstance(node, RuleRef):
        return names[node.name]
    if isinstance(node, Repeat):
        return f"({_text(node.item, names)}){_count(node)}"
    if isinstance(node, Choice):
        return "(" + " | ".join(_text(option, names) for option in node.options) + ")"
    return _sequence_text(node, names)


def _sequence_text(node: Sequence, names: Mapping[str, str]) -> str:
    if not node.items:
        return '""'
    return "(" + " ".join(_text(item, names) for item in node.items) + ")"


def _count(node: Repeat) -> str:
    if (node.least, node.most) == (0, 1):
        return "?"
    if node.most is None and node.least < 2:
        return "+" if node.least else "*"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def _class_text(node: CharClass) -> str:
    """A regular expression of one character; code points by number, so that none needs care."""
    if not node.ranges:
        return r"/[\u{0}-\u{10FFFF}]/"
    spans = "".join(f"\\u{{{low:X}}}-\\u{{{high:X}}}" for low, high in node.ranges)
    return f"/[{'^' if node.negated else ''}{spans}]/"
