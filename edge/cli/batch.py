"""Many texts, a JSON line each, and the one that a person types."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

from skerry.edge.cli.errors import error_fields
from skerry.edge.cli.given import LARGEST, Source, file_of, read_given
from skerry.edge.errors import InputError

_LONGEST_LINE = LARGEST


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that cannot be taken: its number from 1, and the fields of the error."""

    line: int
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Item:
    """A line that was an object, or a text, which stands for `{"text": …}`."""

    line: int
    fields: dict[str, Any]


def typed_text(given: str) -> str:
    """`given`, or standard input for -; never a file.

    Raises:
        InputError: standard input is too large or not UTF-8.
    """
    return read_given(given, Source.TEXT).text


def read_items(given: str, needed: tuple[str, ...] = ("text",)) -> Iterator[Item | Bad]:
    """The JSON lines of standard input (-) or of a file, one by one; blank ones are left out.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    with ExitStack() as opened:
        for number, line in enumerate(_lines(_open(given, opened)), 1):
            if not line.strip():
                continue
            try:
                yield Item(number, _item(line, needed))
            except InputError as error:
                yield Bad(number, error_fields(error))


def _open(given: str, opened: ExitStack) -> IO[bytes]:
    if given == "-":
        return sys.stdin.buffer
    path = file_of(given)
    if path is None:
        raise InputError(f"no file '{given[:200]}'", hint="--batch reads a file, or - for a pipe")
    try:
        return opened.enter_context(path.open("rb"))
    except OSError as error:
        raise InputError(f"'{given}' cannot be read: {error.strerror}") from error


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines as they come; the rest of one that is too long is passed over."""
    while line := stream.readline(_LONGEST_LINE + 1):
        yield line
        while len(line) > _LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(_LONGEST_LINE + 1)


def _finite(number: str) -> float:
    """A number of JSON, which has neither NaN nor infinity; nor has what is printed of it."""
    if math.isfinite(value := float(number)):
        return value
    raise ValueError(f"{number} is no number")


def _item(line: bytes, needed: tuple[str, ...]) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE:
        raise InputError(f"the line has more than {_LONGEST_LINE:,} bytes")
    try:
        found = json.loads(line, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the line is not JSON: {error}") from error
    if isinstance(found, str) and needed == ("text",):
        return {"text": found}
    if not isinstance(found, dict):
        raise InputError("the line is neither an object nor a text")
    for name in needed:
        if not isinstance(found.get(name), str):
            raise InputError(f'the line has no text "{name}"')
    return found
