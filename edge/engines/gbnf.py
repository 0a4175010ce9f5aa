"""Refuses GBNF grammars that would crash or stall llama.cpp, before it sees them.

llama.cpp returns NULL for most malformed grammars, but loops for ever on left recursion behind an
empty rule and on `{3,1}`, overflows its stack on deep nesting, and aborts the process on mixed
token references. What is left, it parses itself.

Syntax: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from skerry.edge.errors import GrammarError

ROOT = "root"
_MAX_BYTES = 262_144
_MAX_RULES = 4096
_MAX_ALTERNATIVES = 4096
_MAX_DEPTH = 64
_MAX_REPEAT = 2000
_MAX_EMPTY_RUN = 12
"""Optional items in a row: each may be skipped, and llama.cpp follows every way (at 16 a token
took seconds)."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<literal>"(?:[^"\\]|\\.)*")
    |(?P<set>\[(?:[^\]\\]|\\.)*\])
    |(?P<define>::=)
    |(?P<name>[A-Za-z0-9-]+)
    |(?P<open>\()
    |(?P<close>\))
    |(?P<or>\|)
    |(?P<any>\.)
    |(?P<repeat>[*+?]|\{\s*\d+\s*(?:,\s*\d*\s*)?\})
    |(?P<token>[<!])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(slots=True)
class _Item:
    """A terminal (`empty` or not), a reference by `name`, or a group of `alternatives`."""

    name: str = ""
    alternatives: list[list[_Item]] = field(default_factory=list)
    empty: bool = False


_Sequence = list[_Item]
_Rules = dict[str, list[_Sequence]]


def check_gbnf(grammar: str) -> None:
    """Raises GrammarError, with a line number where there is one, for a grammar that is unsafe."""
    if not grammar.strip():
        raise GrammarError("the grammar is empty", hint=f"give at least a rule `{ROOT} ::= …`")
    if "\x00" in grammar or len(grammar.encode("utf-8", "replace")) > _MAX_BYTES:
        raise GrammarError(
            "the grammar holds a NUL byte or is too long",
            hint=f"give GBNF text of at most {_MAX_BYTES} bytes",
        )
    rules = _Parser(grammar).rules()
    _check_names(rules)
    empties = _empty_rules(rules)
    _check_runs(rules, empties)
    _check_left_recursion(rules, empties)


class _Parser:
    """Reads rules; more tolerant of line breaks than llama.cpp, which has the last word."""

    def __init__(self, grammar: str) -> None:
        self._grammar = grammar
        self._tokens = list(self._lex())
        self._rules: _Rules = {}
        self._alternatives = 0

    def rules(self) -> _Rules:
        stack: list[list[_Sequence]] = []
        for index, token in enumerate(self._tokens):
            kind, text = token.lastgroup, token.group()
            if kind == "name" and self._kind(index + 1) == "define":
                self._require(len(stack) < 2, token, "a group is not closed")
                self._require(len(self._rules) < _MAX_RULES, token, "too many rules")
                stack = [self._rules.setdefault(text, [])]
                stack[-1].append([])
            elif kind != "define":
                self._require(bool(stack), token, "a rule begins with `name ::=`")
                self._take(token, stack)
            else:
                self._require(self._kind(index - 1) == "name", token, "`::=` without a name")
        if len(stack) > 1:
            raise self._error(len(self._grammar), "a group is not closed")
        return self._rules

    def _lex(self) -> Iterator[re.Match[str]]:
        at = 0
        while at < len(self._grammar):
            token = _TOKEN.match(self._grammar, at)
            if token is None:
                raise self._error(at, f"unexpected {self._grammar[at]!r}")
            at = token.end()
            if token.lastgroup != "space":
                yield token

    def _take(self, token: re.Match[str], stack: list[list[_Sequence]]) -> None:
        sequence = stack[-1][-1]
        match token.lastgroup:
            case "open":
                self._require(len(stack) < _MAX_DEPTH, token, "groups are nested too deeply")
                sequence.append(_Item(alternatives=[[]]))
                stack.append(sequence[-1].alternatives)
            case "close":
                self._require(len(stack) > 1, token, "`)` without `(`")
                stack.pop()
            case "or":
                self._alternatives += 1
                self._require(self._alternatives < _MAX_ALTERNATIVES, token, "too many `|`")
                stack[-1].append([])
            case "repeat":
                self._require(bool(sequence), token, "nothing to repeat")
                sequence[-1] = self._repeated(token, sequence[-1])
            case "token":
                raise self._error(token.start(), "token references are not supported")
            case "name":
                sequence.append(_Item(name=token.group()))
            case _:
                sequence.append(_Item(empty=token.group() == '""'))

    def _repeated(self, token: re.Match[str], item: _Item) -> _Item:
        text = token.group()
        if text == "+":
            return item
        if text in "*?":
            return _Item(alternatives=[[item], []])
        low, _, high = text.strip("{} ").partition(",")
        numbers = [int(number) for number in (low, high) if number.strip()]
        self._require(max(numbers) <= _MAX_REPEAT, token, f"more than {_MAX_REPEAT} repetitions")
        self._require(numbers == sorted(numbers), token, "a repetition from more to fewer")
        return item if numbers[0] else _Item(alternatives=[[item], []])

    def _kind(self, index: int) -> str | None:
        return self._tokens[index].lastgroup if 0 <= index < len(self._tokens) else None

    def _require(self, good: bool, token: re.Match[str], problem: str) -> None:
        if not good:
            raise self._error(token.start(), problem)

    def _error(self, at: int, problem: str) -> GrammarError:
        line = self._grammar.count("\n", 0, at) + 1
        return GrammarError(
            f"the grammar cannot be used: line {line}: {problem}",
            hint="see docs/engines.md for the GBNF that is accepted",
        )


def _check_names(rules: _Rules) -> None:
    missing = sorted({ROOT, *_names(rules)} - rules.keys())
    if missing:
        raise GrammarError(
            f"the grammar has no rule named {missing[0]}", hint=f"define `{missing[0]} ::= …`"
        )


def _names(rules: _Rules) -> Iterator[str]:
    for item in _items(rules):
        if item.name:
            yield item.name


def _items(rules: _Rules) -> Iterator[_Item]:
    for sequence in _sequences(rules):
        yield from sequence


def _sequences(rules: _Rules) -> Iterator[_Sequence]:
    pending = [sequence for alternatives in rules.values() for sequence in alternatives]
    while pending:
        sequence = pending.pop()
        yield sequence
        pending += [inner for item in sequence for inner in item.alternatives]


def _empty_rules(rules: _Rules) -> frozenset[str]:
    """Names of rules that may match nothing: the least fixed point."""
    empties: frozenset[str] = frozenset()
    while True:
        more = frozenset(name for name, found in rules.items() if _any_empty(found, empties))
        if more == empties:
            return empties
        empties = more


def _any_empty(alternatives: list[_Sequence], empties: frozenset[str]) -> bool:
    return any(all(_empty(item, empties) for item in sequence) for sequence in alternatives)


def _empty(item: _Item, empties: frozenset[str]) -> bool:
    if item.name:
        return item.name in empties
    return item.empty or _any_empty(item.alternatives, empties)


def _check_runs(rules: _Rules, empties: frozenset[str]) -> None:
    for sequence in _sequences(rules):
        run = 0
        for item in sequence:
            run = run + 1 if _empty(item, empties) else 0
            if run > _MAX_EMPTY_RUN:
                raise GrammarError(
                    f"the grammar has more than {_MAX_EMPTY_RUN} optional items in a row",
                    hint="put something that must occur between them, or nest them",
                )


def _check_left_recursion(rules: _Rules, empties: frozenset[str]) -> None:
    graph: Mapping[str, set[str]] = {
        name: set(_leftmost(alternatives, empties)) for name, alternatives in rules.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        around = " -> ".join(reversed(error.args[1]))
        raise GrammarError(
            f"the grammar is left-recursive: {around}",
            hint="let a rule begin with something other than itself; use * or + to repeat",
        ) from error


def _leftmost(alternatives: list[_Sequence], empties: frozenset[str]) -> Iterator[str]:
    """Names of rules that a text of these alternatives may begin with."""
    for sequence in alternatives:
        for item in sequence:
            if item.name:
                yield item.name
            yield from _leftmost(item.alternatives, empties)
            if not _empty(item, empties):
                break
