"""What a chat template may cost: templates come with models of strangers, and Jinja has loops.

Jinja's sandbox keeps a template from reaching outside, not from running for ever or filling the
memory. Here everything that repeats or grows pays first, out of a `Purse` for each rendering:
bodies that may run more than once, loops, calls, filters, operators, and every text or list that
is made. What is not on the lists below a template cannot use.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from jinja2 import Undefined
from jinja2.filters import FILTERS

MOST_STEPS = 2_000_000
"""Things done in one rendering. A conversation of a thousand turns takes some ten thousand."""

MOST_MADE = 128 << 20
"""Characters made in one rendering, beside `_PER_GIVEN` for each that was given. Items of lists
count as many characters as take the same memory."""

MOST_SECONDS = 20.0
"""Processor time of one rendering."""

_PER_GIVEN = 32
_ITEM = 8  # what an item takes in a list, in characters
_WORD = 64  # and with a text of its own
_MOST_BITS = 4096
_LONGEST_WIDTH = 1000
_WIDTHS = {"%": re.compile(r"\*|\d{4,}"), "{": re.compile(r"\{[^{}]*\{|\d{4,}")}

FILTERS_KNOWN = frozenset(
    "abs attr capitalize count d default dictsort e escape first float groupby indent int items "
    "join last length list lower map max min reject rejectattr replace reverse round safe select "
    "selectattr sort string sum title tojson trim truncate unique upper urlencode wordcount".split()
)
_LOOKING = frozenset("attr count d default first last length reverse safe".split())
"""Filters that take the same time for a value of any size."""

_LAZY = frozenset("items list map reject rejectattr select selectattr".split())
"""Filters that look at items, and not into them."""

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit "
        "islower isnumeric isspace istitle isupper join lower lstrip partition removeprefix "
        "removesuffix replace rfind rindex rpartition rsplit rstrip split splitlines startswith "
        "strip swapcase title upper".split()
    ),
    dict: frozenset("copy get items keys values".split()),
    list: frozenset("copy count index".split()),
    tuple: frozenset("count index".split()),
}


class TooCostly(Exception):
    """A template would take more than it may. Derived from nothing that a filter handles."""


class Purse:
    """What is left of one rendering's means. `given` is the size of what is rendered."""

    def __init__(self, given: int = 0) -> None:
        self._steps = MOST_STEPS
        self._made = MOST_MADE + _PER_GIVEN * given
        self._ends_at = time.thread_time() + MOST_SECONDS

    def pay(self, steps: int, made: int = 0) -> None:
        """Raises TooCostly where the means, or the time, are at an end."""
        self._steps -= steps
        self._made -= made
        if self._steps < 0:
            raise TooCostly("it takes too many steps")
        if self._made < 0:
            raise TooCostly("it makes too much text")
        if time.thread_time() > self._ends_at:
            raise TooCostly("it takes too long")


_purse: ContextVar[Purse | None] = ContextVar("_purse", default=None)


@contextmanager
def paying(given: int) -> Iterator[None]:
    """What is rendered in the block pays out of a new purse."""
    token = _purse.set(Purse(given))
    try:
        yield
    finally:
        _purse.reset(token)


def pay(steps: int, made: int = 0) -> None:
    purse = _purse.get()
    if purse is not None:
        purse.pay(steps, made)


def counted(items: Any, weight: int) -> Iterator[Any]:
    """`items` of a loop; each pays for the `weight` nodes of the loop's body."""
    for item in items:
        pay(weight)
        yield item


def measured(value: Any) -> Any:
    """`value`, once what it takes to read all of it was paid: a list may hold one list twice, which
    holds another twice, and so on."""
    pay(1, _size(value))
    return value


def _size(value: Any) -> int:
    """How long `value` is as text, about. Pays for every item of a list."""
    size, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, Mapping):
            pay(len(one) + 1)
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            pay(len(one) + 1)
            left += one
        elif isinstance(one, range):
            pay(len(one))
        elif isinstance(one, int) and one.bit_length() > _MOST_BITS:
            raise TooCostly("it makes too large a number")
        size += 8
    return size


def copied(value: Any) -> Any:
    """`value`, which is a new list or text with old items."""
    if isinstance(value, Sized):
        pay(1, len(value) * (1 if isinstance(value, str) else _ITEM))
    return value


def text(value: Any) -> Any:
    """A value on its way into text: what has no size that can be known is no text.

    Undefined values stay what they are, and raise or are empty as Jinja has it.
    """
    if isinstance(value, str | int | float | Undefined | None):
        pay(1)
        return value
    if isinstance(value, list | tuple | Mapping):
        pay(1, 4 * _size(value))
        return value
    raise TypeError(f"{type(value).__name__} is no text")


def joined(parts: Iterable[str]) -> str:
    """`"".join(parts)`, paid before it is made."""
    kept = []
    for part in parts:
        pay(1, len(part))
        kept.append(part)
    return "".join(kept)


def binary(operator: str, left: Any, right: Any) -> None:
    """Pays for `left operator right` before it is computed."""
    if operator in "+-" and not isinstance(left, str | list | tuple):
        pay(1, _size(left) + _size(right))
    elif operator == "+":
        copied(left)
        copied(right)
    elif operator == "*":
        _pay_product(left, right)
    elif operator == "%" and isinstance(left, str):
        formatted(left, operator, right)
    elif operator == "**":
        raise TooCostly("it raises numbers to powers")
    else:
        pay(1)


def _pay_product(left: Any, right: Any) -> None:
    for repeated, times in ((left, right), (right, left)):
        if isinstance(repeated, str | list | tuple) and isinstance(times, int):
            each = 1 if isinstance(repeated, str) else _ITEM
            pay(1, each * len(repeated) * max(times, 0))
            return
    pay(1, _size(left) + _size(right))


def formatted(pattern: str, sign: str, values: Any) -> None:
    """Pays for `values` in the places of `pattern` that begin with `sign`, each as often as it is.

    A width may be given in up to three digits, and not by a value.
    """
    if _WIDTHS[sign].search(pattern):
        raise TooCostly("it formats to great widths")
    places = pattern.count(sign)
    pay(1 + places, len(pattern) + places * (_LONGEST_WIDTH + 4 * _size(values)))


def call(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Pays for a call before it is made; TypeError for a method that a template cannot use."""
    owner: Any = getattr(function, "__self__", None)
    name = getattr(function, "__name__", "")
    kind = next((kind for kind in _METHODS if isinstance(owner, kind)), None)
    if kind is None:
        pay(1)
        return
    if name not in _METHODS[kind]:
        raise TypeError(f"the method {name} of {kind.__name__} is not known here")
    pay(1, len(owner) + _size([*args, *kwargs.values()]))
    if kind is str:
        _call_of_text(owner, name, args)


def _call_of_text(owner: str, name: str, args: tuple[Any, ...]) -> None:
    """Pays for methods that make more than their text is long."""
    if name == "replace":
        pay_replace(owner, *args[:2])
    elif name == "join":
        pay_join(owner, args[0] if args else ())
    elif name in {"split", "rsplit"} and args and isinstance(args[0], str):
        pay(1, _WORD * owner.count(args[0]))
    elif name in {"split", "rsplit", "splitlines"}:
        pay(1, _WORD // 2 * len(owner))


def pay_replace(whole: Any, old: Any = "", new: Any = "", *_: Any) -> None:
    """A short text may be replaced by a long one in many places."""
    if all(isinstance(one, str) for one in (whole, old, new)):
        pay(1, whole.count(old) * len(new) + len(whole))


def pay_join(separator: Any, items: Any) -> None:
    if isinstance(separator, str) and isinstance(items, Sized):
        pay(1, len(separator) * len(items))


def _indent(whole: Any, width: Any = 4, *_: Any, **__: Any) -> None:
    margin = len(width) if isinstance(width, str) else int(width)
    pay(1, (str(whole).count("\n") + 1) * max(margin, 0))


def _join(items: Any, separator: Any = "", *_: Any, **__: Any) -> None:
    pay_join(str(separator), items)


def _tojson(value: Any, indent: Any = None, *_: Any, **__: Any) -> None:
    pay(1, _size(value) * (6 + min(int(indent or 0), _LONGEST_WIDTH)))
    if int(indent or 0) > _LONGEST_WIDTH:
        raise TooCostly("it indents too far")


_BEFORE: Mapping[str, Callable[..., None]] = {
    "indent": _indent,
    "join": _join,
    "replace": pay_replace,
    "tojson": _tojson,
}


def paying_filters(own: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Jinja's filters that templates may use, with `own` for some of them; each pays."""
    known = {name: FILTERS[name] for name in FILTERS_KNOWN if name in FILTERS}
    return {name: _paying(name, function) for name, function in {**known, **own}.items()}


def _pay_input(name: str, value: Any) -> None:
    if name in _LOOKING:
        return
    if name not in _LAZY:
        pay(1, _size(value))
    elif isinstance(value, Sized):
        pay(len(value), len(value) * (_WORD if isinstance(value, str) else _ITEM))


def _paying(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    skipped = int(hasattr(function, "jinja_pass_arg"))  # the environment, or the like

    @wraps(function)
    def filtered(*args: Any, **kwargs: Any) -> Any:
        told, (value, *rest) = args[:skipped], args[skipped:]
        if isinstance(value, Iterator):
            value = list(counted(value, 1))
        _pay_input(name, value)
        pay(1, _size(rest))
        if name in _BEFORE:
            _BEFORE[name](value, *rest, **kwargs)
        return function(*told, value, *rest, **kwargs)

    return filtered
