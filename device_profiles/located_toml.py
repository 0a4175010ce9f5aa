"""TOML that remembers on which line each key stands, so that an error can name it.

`tomllib` parses; this only finds lines. Knows nothing of what the keys mean.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

KeyPath = tuple[str | int, ...]
"""Keys and, for items of arrays, positions from 0: `("rule", 1, "when")`."""

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_AT_END = re.compile(r" \(at end of document\)$")
_NO_KEY = "there is no such key"
_PLAINER = {
    "missing": "is missing",
    "unexpected_keyword_argument": _NO_KEY,
    "extra_forbidden": _NO_KEY,
}
_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'|#[^\n]*|[][{}]|\n''',
    re.DOTALL,
)
"""What a valid text can hide a line's end in, brackets, and the line's end itself."""


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
    """Parsed TOML, and the text that it was parsed from."""

    data: dict[str, Any]
    text: str

    def known(self, path: KeyPath) -> KeyPath:
        """The longest start of `path` that is there."""
        return _known(self.data, path)

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest table around it; 1 for the whole text."""
        return self.first([path])[1]

    def first(self, paths: Iterable[KeyPath]) -> tuple[KeyPath, int]:
        """The one of `paths` that is mentioned first, and the line where its statement starts.

        One that is not there counts as the nearest table around it. A text cut off after any whole
        statement is TOML, so the first cut that has a path names its line, however it is written.
        """
        places = {path: self.known(path) for path in paths}

        def mentioned(end: int) -> list[KeyPath]:
            data = tomllib.loads(self.text[:end])
            return [path for path, place in places.items() if _known(data, place) == place]

        statements = list(_statements(self.text))
        index = bisect_left(statements, True, key=lambda one: bool(mentioned(one[1])))
        line, end = statements[index]
        return mentioned(end)[0], line

    def fault(self, error: ValidationError) -> Fault:
        """The first complaint of `error` about a key that is there, else about a missing one."""
        details: dict[KeyPath, ErrorDetails] = {}
        for detail in error.errors(include_url=False):
            details.setdefault(_path(detail), detail)
        there = [path for path in details if self.known(path) == path]
        path, line = self.first(there or details)
        return Fault(line, ".".join(map(str, path)), _plainly(details[path]))


def _known(data: Any, path: KeyPath) -> KeyPath:
    for depth, step in enumerate(path):
        if not _has(data, step):
            return path[:depth]
        data = data[step]
    return path


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, Mapping) and step in data


def _path(detail: ErrorDetails) -> KeyPath:
    return tuple(part for part in detail["loc"] if isinstance(part, str))


def _plainly(detail: ErrorDetails) -> str:
    return _PLAINER.get(detail["type"], detail["msg"].removeprefix("Value error, "))


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
    content = content.removeprefix(BOM_UTF8)
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
    return LocatedToml(data, text)


def _located(complaint: str, text: str) -> TomlFault:
    found = _AT_LINE.search(complaint)
    if found:
        return TomlFault(int(found[1]), f"not TOML: {complaint[: found.start()]}")
    last = max(1, len(text.splitlines()))
    return TomlFault(last, f"not TOML: {_AT_END.sub('', complaint)}")


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """The line on which each statement of a valid text starts, and the offset of its end."""
    start = line = 1
    depth = 0
    for token in _TOKEN.finditer(text):
        line += token[0].count("\n")
        depth += (token[0] in "[{") - (token[0] in "]}")
        if token[0] == "\n" and not depth:
            yield start, token.end()
            start = line
    yield start, len(text)
