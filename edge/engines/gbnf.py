"""Refuses GBNF grammars that would crash or stall llama.cpp, or that it would refuse aloud.

llama.cpp loops for ever on left recursion behind an empty rule and on `{3,1}`, overflows its stack
on deep nesting, aborts the process on mixed token references, and takes gigabytes for repetitions
of repetitions. A grammar that it cannot parse it prints to stderr, past its log: so that nobody's
text gets there, what passes here must parse there.

Syntax: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import graphlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from skerry.edge.errors import GrammarError

ROOT = "root"
MAX_REPEAT = 1999
"""The most rules that a repetition may stand for; llama.cpp refuses 2000 or what is above."""

_MAX_BYTES = 262_144
_MAX_RULES = 4096
_MAX_ALTERNATIVES = 4096
_MAX_DEPTH = 64
_MAX_MARKS = 8
_MAX_ELEMENTS = 400_000
"""What all repetitions may come to when llama.cpp writes them out (some 100 bytes each)."""
_MAX_EMPTY_RUN = 12
"""Optional items in a row: each may be skipped, and llama.cpp follows every way (at 16 a token
took seconds)."""
_MAX_EXPANDED = 208
"""The same with those in the rules and groups that an item stands for. At 200 llama.cpp takes a
second or two a token, at some thousands all memory. An object of 200 optional properties passes."""

_ESCAPE = r"\\(?:[trn\\\"\[\]-]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t]+|\#[^\r\n]*)
    |(?P<line>[\r\n]+)
    |(?P<literal>"(?:[^"\\]|{_ESCAPE})*")
    |(?P<set>\[(?!\^?\])(?:[^\]\\]|{_ESCAPE})+\])
    |(?P<define>::=)
    |(?P<name>[A-Za-z0-9-]+)
    |(?P<open>\()
    |(?P<close>\))
    |(?P<or>\|)
    |(?P<any>\.)
    |(?P<repeat>[*+?]|\{{[ \t]*[0-9]{{1,9}}[ \t]*(?:,[ \t]*(?:[0-9]{{1,9}}[ \t]*)?)?\}})
    |(?P<token>[<!])""",
    re.VERBOSE,
)
_BOUNDS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(slots=True, eq=False)
class _Item:
    """A terminal (`empty` or not), a reference by `name`, or a group of `alternatives`.

    `elements` and `rules` are what llama.cpp writes for it, in its own counting; `marks` says how
    many repetitions it is behind; `times` how often it may stand in a row.
    """

    name: str = ""
    alternatives: list[list[_Item]] = field(default_factory=list)
    empty: bool = False
    elements: int = 1
    rules: int = 1
    marks: int = 0
    times: int = 1

    @property
    def key(self) -> str | _Item:
        """What decides whether it may match nothing: a rule's name, or the group itself."""
        return self.name or self


_Sequence = list[_Item]
_Rules = dict[str, list[_Sequence]]
_Empties = frozenset[str | _Item]
"""The rules and groups that may match nothing."""


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
    empties = _find_empties(rules)
    _check_runs(rules, empties)
    _check_left_recursion(rules, empties)
    _check_expanded_runs(rules, empties)


class _Parser:
    """Reads rules as llama.cpp does, line ends and counts of rules included."""

    def __init__(self, grammar: str) -> None:
        self._grammar = grammar
        self._rules: _Rules = {}
        self._stack: list[list[_Sequence]] = []
        self._last: str | None = None
        self._alternatives = 0
        self._elements = 0
        self._names: set[str] = set()
        self._made = 0
        self._made_before: list[int] = []

    def rules(self) -> _Rules:
        tokens = self._lex()
        for token in tokens:
            if token.lastgroup == "line":
                self._end_line()
            elif self._stack:
                self._take(token)
                self._last = token.lastgroup
            else:
                self._begin(token, next(tokens, None))
        if len(self._stack) > 1:
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

    def _begin(self, name: re.Match[str], define: re.Match[str] | None) -> None:
        if name.lastgroup != "name" or define is None or define.lastgroup != "define":
            raise self._error(name.start(), "a rule begins with `name ::=`")
        self._require(len(self._rules) < _MAX_RULES, name, "too many rules")
        self._name(name.group())
        self._stack = [self._rules.setdefault(name.group(), [])]
        self._stack[-1].append([])
        self._last = "define"

    def _end_line(self) -> None:
        """Ends the rule, unless it goes on in a group or behind `::=` or `|`."""
        if len(self._stack) == 1 and self._last not in {"define", "or"}:
            self._stack = []

    def _take(self, token: re.Match[str]) -> None:
        sequence = self._stack[-1][-1]
        match token.lastgroup:
            case "open":
                self._open(token, sequence)
            case "close":
                self._close(token)
            case "or":
                self._alternatives += 1
                self._require(self._alternatives < _MAX_ALTERNATIVES, token, "too many `|`")
                self._stack[-1].append([])
            case "repeat":
                self._require(bool(sequence), token, "nothing to repeat")
                sequence[-1] = self._repeated(token, sequence[-1])
            case "define":
                raise self._error(token.start(), "`::=` amid a rule")
            case "token":
                raise self._error(token.start(), "token references are not supported")
            case "name":
                self._name(token.group())
                sequence.append(_Item(name=token.group()))
            case _:
                elements = 1 if token.lastgroup == "any" else len(token.group()) - 2
                sequence.append(_Item(empty=not elements, elements=elements))

    def _open(self, token: re.Match[str], sequence: _Sequence) -> None:
        self._require(len(self._stack) < _MAX_DEPTH, token, "groups are nested too deeply")
        sequence.append(_Item(alternatives=[[]]))
        self._stack.append(sequence[-1].alternatives)
        self._made_before.append(self._made)
        self._made += 1

    def _close(self, token: re.Match[str]) -> None:
        self._require(len(self._stack) > 1, token, "`)` without `(`")
        self._stack.pop()
        self._stack[-1][-1][-1].rules = self._made - self._made_before.pop()

    def _repeated(self, token: re.Match[str], item: _Item) -> _Item:
        least, most = _bounds(token.group())
        self._require(item.elements > 0, token, "nothing to repeat")
        self._require(item.marks < _MAX_MARKS, token, "too many repetitions of repetitions")
        self._require(most is None or least <= most, token, "a repetition from more to fewer")
        times = most or least or 1
        rules, optional = item.rules * times, 1 if most is None else most - least
        problem = f"more than {MAX_REPEAT} repetitions, those inside the repeated counted"
        self._require(rules <= MAX_REPEAT, token, problem)
        self._made += optional
        self._elements += item.elements * times
        self._require(self._elements <= _MAX_ELEMENTS, token, "all repetitions come to too much")
        elements = item.elements * least + bool(optional)
        body = replace(item, times=item.times * times)
        whole = body if least else _Item(alternatives=[[body], []])
        return replace(whole, elements=elements, rules=rules, marks=item.marks + 1)

    def _name(self, name: str) -> None:
        """llama.cpp counts a name where it meets it first."""
        self._made += name not in self._names
        self._names.add(name)

    def _require(self, good: bool, token: re.Match[str], problem: str) -> None:
        if not good:
            raise self._error(token.start(), problem)

    def _error(self, at: int, problem: str) -> GrammarError:
        line = self._grammar.count("\n", 0, at) + 1
        return GrammarError(
            f"the grammar cannot be used: line {line}: {problem}",
            hint="see docs/engines.md for the GBNF that is accepted",
        )


def _bounds(mark: str) -> tuple[int, int | None]:
    """The least and the most that `*`, `+`, `?` or `{m,n}` ask for."""
    if mark in _BOUNDS:
        return _BOUNDS[mark]
    low, comma, high = (part.strip() for part in mark.strip("{}").partition(","))
    return int(low), int(high) if high else None if comma else int(low)


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


def _owned(rules: _Rules) -> Iterator[tuple[str | _Item, _Sequence]]:
    """Every sequence, with the rule or group that it is an alternative of."""
    for name, alternatives in rules.items():
        yield from ((name, sequence) for sequence in alternatives)
    for item in _items(rules):
        yield from ((item, sequence) for sequence in item.alternatives)


def _find_empties(rules: _Rules) -> _Empties:
    """The rules and groups that may match nothing, in time linear in the grammar.

    A sequence counts its items that are not known to match nothing. At none, its owner
    may, and the sequences that hold the owner count one fewer.
    """
    owned = list(_owned(rules))
    holders: defaultdict[str | _Item, list[int]] = defaultdict(list)
    for number, (_, sequence) in enumerate(owned):
        for item in sequence:
            if not item.empty:
                holders[item.key].append(number)
    left = [sum(not item.empty for item in sequence) for _, sequence in owned]
    found: set[str | _Item] = set()
    pending = [owner for (owner, _), count in zip(owned, left, strict=True) if not count]
    while pending:
        owner = pending.pop()
        for number in holders.pop(owner, ()):
            left[number] -= 1
            pending += [owned[number][0]] * (not left[number])
        found.add(owner)
    return frozenset(found)


def _empty(item: _Item, empties: _Empties) -> bool:
    return item.empty or item.key in empties


def _check_runs(rules: _Rules, empties: _Empties) -> None:
    for sequence in _sequences(rules):
        run = 0
        for item in sequence:
            run = run + item.times if _empty(item, empties) else 0
            if run > _MAX_EMPTY_RUN:
                raise GrammarError(
                    f"the grammar has more than {_MAX_EMPTY_RUN} optional items in a row",
                    hint="put something that must occur between them, or nest them",
                )


def _check_expanded_runs(rules: _Rules, empties: _Empties) -> None:
    """Refuses `a ::= b b`, `b ::= c c`, … with an optional end. Without left recursion no rule that
    may match nothing holds itself."""
    widths = _widths(rules, empties)
    for sequence in _sequences(rules):
        run = 0
        for item in sequence:
            run = run + _width(item, widths) if _empty(item, empties) else 0
            if run > _MAX_EXPANDED:
                raise GrammarError(
                    f"the grammar has more than {_MAX_EXPANDED} optional items in a row, those of "
                    "its rules and groups counted",
                    hint="put something that must occur between them",
                )


def _widths(rules: _Rules, empties: _Empties) -> dict[str | _Item, int]:
    """How many optional items in a row a rule or group that may match nothing comes to."""
    inside: defaultdict[str | _Item, list[_Sequence]] = defaultdict(list)
    for owner, sequence in _owned(rules):
        if all(_empty(item, empties) for item in sequence):
            inside[owner].append(sequence)
    needed = {
        owner: {item.key for sequence in some for item in sequence if item.key in empties}
        for owner, some in inside.items()
    }
    widths: dict[str | _Item, int] = {}
    for owner in graphlib.TopologicalSorter(needed).static_order():
        whole = (sum(_width(item, widths) for item in sequence) for sequence in inside[owner])
        widths[owner] = min(max(whole, default=0), _MAX_EXPANDED + 1)
    return widths


def _width(item: _Item, widths: Mapping[str | _Item, int]) -> int:
    return item.times * max(1, widths.get(item.key, 0))


def _check_left_recursion(rules: _Rules, empties: _Empties) -> None:
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


def _leftmost(alternatives: list[_Sequence], empties: _Empties) -> Iterator[str]:
    """Names of rules that a text of these alternatives may begin with."""
    for sequence in alternatives:
        for item in sequence:
            if item.name:
                yield item.name
            yield from _leftmost(item.alternatives, empties)
            if not _empty(item, empties):
                break
