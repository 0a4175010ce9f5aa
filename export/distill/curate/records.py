"""The rows of curation: what is asked, and what a teacher said. JSON lines, every line checked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from skerry.export.distill.errors import DistillError
from skerry.export.distill.prompts import GROUNDED

Message = Mapping[str, str]
T = TypeVar("T")

NOT_FOUND = "The documents do not say."
"""What a device says where no source holds the answer (`skerry.edge.prompt`)."""

_MOST_LINE = 1 << 20
_MOST_SHOWN = 5
_ROLES = frozenset({"system", "user", "assistant"})


class Expect(StrEnum):
    """What a good answer does: it answers, says that the sources do not hold it, or refuses."""

    ANSWER = "answer"
    NOT_FOUND = "not_found"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it is shown; `mark` is its number."""

    mark: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt: `question` is the last thing the user says, `sources` what it is to be answered
    from (none: from nothing), `before` earlier messages, `noise` what was done to the question."""

    id: str
    family: str
    question: str
    expect: Expect = Expect.ANSWER
    sources: tuple[Source, ...] = ()
    before: tuple[Message, ...] = ()
    noise: tuple[str, ...] = ()

    def messages(self) -> tuple[Message, ...]:
        """The chat that the teacher is given, and that the student learns."""
        shown = (f"[{one.mark}] {one.title}\n{one.text}" for one in self.sources)
        system = "\n\n".join((GROUNDED, *shown))
        first = ({"role": "system", "content": system},) if self.sources else ()
        return (*first, *self.before, {"role": "user", "content": self.question})


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: `trace` is how a teacher got there, empty where it does not say; `finished` is
    False where it was cut off; `by` names the teacher, or the person."""

    asked: Asked
    answer: str
    trace: str = ""
    finished: bool = True
    by: str = ""


def asked_of(row: Mapping[str, Any]) -> Asked:
    """Raises ValueError: the row is no prompt."""
    question = _text(row, "question")
    sources = tuple(_source(one, place) for place, one in enumerate(_list(row, "sources"), 1))
    before = tuple(_message(one) for one in _list(row, "before"))
    return Asked(
        id=_text(row, "id"), family=str(row.get("family", "asked")), question=question,
        expect=Expect(row.get("expect", Expect.ANSWER)), sources=sources, before=before,
        noise=tuple(str(one) for one in _list(row, "noise")),
    )  # fmt: skip


def said_of(row: Mapping[str, Any]) -> Said:
    """Raises ValueError: the row is no answer."""
    asked, answer = row.get("asked"), row.get("answer")
    if not isinstance(asked, dict) or not isinstance(answer, str):
        raise ValueError("no object with what was asked, and the answer")
    finished = row.get("finished", True)
    if type(finished) is not bool:
        raise ValueError("'finished' is neither true nor false")
    return Said(
        asked_of(asked), answer, str(row.get("trace", "")), finished, str(row.get("by", ""))
    )


def read_rows(file: Path, made: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
    """Rows of JSON lines, as they are read; empty lines are passed over.

    Raises:
        DistillError: a line is wrong; it is named with its number.
    """
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _row(file, number, line, made)
    except OSError as error:
        raise DistillError(f"'{file}' cannot be read: {error.strerror}") from error


def write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Writes rows beside `file`, flushes them to the disk, and renames; returns how many.

    Raises:
        DistillError: the disk is full, or the place cannot be written.
    """
    partial, count = file.with_name(f".{file.name}.partial"), 0
    try:
        with partial.open("w", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    except OSError as error:
        raise DistillError(f"'{file}' cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def plain(row: Asked | Said) -> dict[str, Any]:
    """A row as JSON."""
    return asdict(row)


def _row(file: Path, number: int, line: bytes, made: Callable[[Mapping[str, Any]], T]) -> T:
    try:
        if len(line) > _MOST_LINE:
            raise ValueError(f"longer than {_MOST_LINE:,} bytes")
        row = json.loads(line.decode("utf-8-sig"))
        if not isinstance(row, dict):
            raise ValueError("no object")
        return made(row)
    except (ValueError, RecursionError) as error:
        kind = "not JSON" if isinstance(error, (json.JSONDecodeError, RecursionError)) else error
        raise DistillError(f"'{file}', line {number}: {kind}", hint="mend or remove it") from error


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"no text in '{key}'")
    return value


def _list(row: Mapping[str, Any], key: str) -> list[Any]:
    value = row.get(key) or []
    if not isinstance(value, list):
        raise ValueError(f"'{key}' is no list")
    return value


def _source(one: Any, place: int) -> Source:
    if not isinstance(one, dict):
        raise ValueError("a source is no object")
    mark = one.get("mark", place)
    if type(mark) is not int:
        raise ValueError("a source's mark is no number")
    return Source(mark, str(one.get("title", "")), _text(one, "text"))


def _message(one: Any) -> Message:
    if not isinstance(one, dict) or one.get("role") not in _ROLES:
        raise ValueError("an earlier message has no role")
    return {"role": one["role"], "content": _text(one, "content")}
