"""TOML that remembers on which line each key stands, so that an error can name it.

`tomllib` parses; this only finds lines. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

KeyPath = tuple[str, ...]
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_LONGEST_VALUE = 200
_PLAINER = {"missing": "is missing", "unexpected_keyword_argument": "there is no such key"}
_AT_END = re.compile(r" \(at end of document\)$")


class TomlFault(ValueError):
    """The text is not TOML, or not text. `line` counts from 1."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value: its line, its dotted key (empty for the whole text), and the complaint."""

    line: int
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class LocatedToml:
    """Parsed TOML. `lines` maps the path of a key or table to the line of its first mention.

    Elements of an array of tables share the path of the array.
    """

    data: dict[str, Any]
    lines: Mapping[KeyPath, int]

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest table around it; 1 for the whole text."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, error: ValidationError) -> Fault:
        """The first complaint of `error` about a key that is there, else about a missing one."""
        details = error.errors(include_url=False)
        detail = min(details, key=lambda detail: self._place(_path(detail)))
        path = _path(detail)
        what = _PLAINER.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        return Fault(self.line(path), ".".join(path), what)

    def _place(self, path: KeyPath) -> tuple[bool, int]:
        return path not in self.lines, self.line(path)


def _path(detail: ErrorDetails) -> KeyPath:
    return tuple(part for part in detail["loc"] if isinstance(part, str))


def read(path: Path, *, max_bytes: int) -> LocatedToml:
    """Reads and parses the file `path`.

    Raises:
        OSError: it cannot be read.
        TomlFault: it has more than `max_bytes`, is not UTF-8, or is not TOML.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TomlFault(1, f"the file has more than {max_bytes // 1024} KiB")
    try:
        return parse(content.decode().replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TomlFault(line, "not UTF-8 text") from None


def parse(text: str) -> LocatedToml:
    """Parses TOML 1.0.

    Raises:
        TomlFault: the text is not TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _located(str(error), text) from None
    except RecursionError:
        raise TomlFault(1, "nested too deeply") from None
    lines: dict[KeyPath, int] = {}
    for line, path in _mentions(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], line)
    return LocatedToml(data, lines)


def _located(complaint: str, text: str) -> TomlFault:
    found = _AT_LINE.search(complaint)
    if found:
        return TomlFault(int(found[1]), f"not TOML: {complaint[: found.start()]}")
    last = max(1, len(text.splitlines()))
    return TomlFault(last, f"not TOML: {_AT_END.sub('', complaint)}")


def _mentions(text: str) -> Iterator[tuple[int, KeyPath]]:
    """Every key and table header of a valid text, as (line, whole path)."""
    table: KeyPath = ()
    for line, statement in _statements(text):
        names = _names(tomllib.loads(statement))
        if statement.lstrip().startswith("["):
            table = names
            yield line, table
        elif names:
            yield line, table + names


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Splits a valid text into statements: a line, or the lines of a multi-line value.

    Stops at a value of more than `_LONGEST_VALUE` lines: every further line of it is parsed again
    with all those before it.
    """
    start, pending = 1, ""
    for number, line in enumerate(text.split("\n"), 1):
        pending += line + "\n"
        if _complete(pending):
            yield start, pending
            start, pending = number + 1, ""
        elif number - start >= _LONGEST_VALUE:
            return


def _complete(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _names(parsed: Mapping[str, Any]) -> KeyPath:
    """The path of a statement's only key: `a.b = 1` and `[a.b]` give ("a", "b")."""
    names: list[str] = []
    value: Any = parsed
    while isinstance(value, dict) and len(value) == 1:
        name, value = next(iter(value.items()))
        names.append(name)
        if isinstance(value, list) and value == [{}]:
            break
    return tuple(names)
