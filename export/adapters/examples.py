"""Examples of chats to train on, one JSON object a line: {"messages": [{"role", "content"}, …]}.

Every line is checked before anything is trained, and what is wrong is said with its line number.
Pure, but for reading the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused

Message = Mapping[str, str]

MOST_BYTES = 1 << 30
_MOST_LINE = 1 << 20
_MOST_SHOWN = 5
_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Example:
    """A chat whose last message is the assistant's; `line` counts from 1."""

    line: int
    messages: tuple[Message, ...]

    def digest(self) -> str:
        """SHA-256 of what it says."""
        said = json.dumps([[one["role"], one["content"]] for one in self.messages])
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Split:
    """Examples to learn from, and those held out; no chat is in both."""

    learnt: tuple[Example, ...]
    held_out: tuple[Example, ...]


def read_examples(file: Path) -> tuple[Example, ...]:
    """All examples of a file; empty lines are passed over.

    Raises:
        SourceRefused: it cannot be read, a line is no example, or there are fewer than two chats.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SourceRefused(f"'{file}' is larger than {MOST_BYTES:,} bytes")
        with file.open("rb") as lines:
            return parse_examples(lines, str(file))
    except OSError as error:
        raise SourceRefused(f"'{file}' cannot be read: {error.strerror}") from error


def parse_examples(lines: Iterable[bytes], name: str) -> tuple[Example, ...]:
    """As `read_examples`, of lines that come from `name`."""
    examples: list[Example] = []
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            examples.append(Example(number, _messages(line)))
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise SourceRefused(f"'{name}' has lines that are no examples: {_shown(wrong)}", hint=_HINT)
    if len({one.digest() for one in examples}) < 2:
        raise SourceRefused(f"'{name}' has fewer than two different examples", hint=_HINT)
    return tuple(examples)


_HINT = 'each line is {"messages": [{"role": "user", "content": …}, {"role": "assistant", …}]}'


def split(examples: Sequence[Example], share: float, *, seed: int) -> Split:
    """Holds out about `share` of the chats, one at least; equal chats stay on one side."""
    keys = sorted({one.digest() for one in examples}, key=lambda key: _drawn(key, seed))
    held = set(keys[: min(len(keys) - 1, max(1, round(share * len(keys))))])
    return Split(
        tuple(one for one in examples if one.digest() not in held),
        tuple(one for one in examples if one.digest() in held),
    )


def digest_of(examples: Iterable[Example]) -> str:
    """SHA-256 of what examples say, in their order."""
    whole = hashlib.sha256()
    for one in examples:
        whole.update(one.digest().encode())
    return whole.hexdigest()


def _drawn(key: str, seed: int) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()


def _shown(wrong: Sequence[str]) -> str:
    more = len(wrong) - _MOST_SHOWN
    return "; ".join(wrong[:_MOST_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _messages(line: bytes) -> tuple[Message, ...]:
    if len(line) > _MOST_LINE:
        raise ValueError(f"longer than {_MOST_LINE:,} bytes")
    row = _json(line)
    if not isinstance(row, dict) or not isinstance(row.get("messages"), list):
        raise ValueError("no object with a list of messages")
    messages = tuple(_message(one) for one in row["messages"])
    _check_order([one["role"] for one in messages])
    return messages


def _json(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise ValueError("not JSON") from error


def _message(one: Any) -> Message:
    if not isinstance(one, dict) or one.get("role") not in _ROLES:
        raise ValueError(f"a message is of no role of {', '.join(_ROLES)}")
    content = one.get("content")
    if not isinstance(content, str) or not content.strip():
        raise ValueError(f"a message of the {one['role']} has no text")
    try:
        content.encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a character (a lone surrogate)") from error
    return {"role": one["role"], "content": content}


def _check_order(roles: Sequence[str]) -> None:
    turns = list(_without_system(roles))
    wanted = [("user", "assistant")[i % 2] for i in range(len(turns))]
    if not turns or turns != wanted or turns[-1] != "assistant":
        raise ValueError("messages are not (system,) user, assistant, … with an assistant's last")


def _without_system(roles: Sequence[str]) -> Iterator[str]:
    yield from roles[1:] if roles[:1] == ["system"] else roles
