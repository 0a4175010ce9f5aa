"""What an argument stands for: a text, a file, or standard input; never one taken for another.

A misspelt name of a file that was looked at as a text would be found clean. So what may be such
a name, and names no file, is refused until the caller says which it is.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from skerry.edge.errors import InputError

LARGEST = 16 << 20
"""Most bytes that are read of a file, a pipe or standard input."""
_LONGEST_NAME = 255  # bytes of the last part of a path, on every common file system
_LONGEST_PATH = 4096  # characters
_SHOWN = 200
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL})

_PATHS = ("/", "./", "../", "~/", ".\\", "..\\", "\\\\", "file:")
_LINK = re.compile(r"(?!file:)[a-z][a-z\d+.\-]{0,30}://.*", re.I | re.S)
_MAIL = re.compile(r"[^@/\\]+@[\w\-]+(?:\.[\w\-]+)+")
_OF_NAMES = re.compile(r"(?:[a-zA-Z]:)?[\w.~+\-/\\]+")
_SUFFIX = re.compile(r"[^\s.]\.[a-z]\w{0,7}\Z", re.I)
_DOCUMENT = re.compile(
    r".+\.(?:csv|docx?|eml|html?|jsonl?|log|md|msg|odt|pdf|pptx?|rst|rtf|toml|tsv|txt|xlsx?|xml|ya?ml)",
    re.I,
)
_MOST_WORDS = 4

_TO_SAY_WHICH = "name a file that is there, or add --text if it is a text"


class Source(StrEnum):
    TEXT = "text"
    FILE = "file"
    STDIN = "stdin"


@dataclass(frozen=True, slots=True)
class Given:
    """A text and where it was: `name` is a file's as it was given, else empty."""

    text: str
    source: Source
    name: str = ""

    def __str__(self) -> str:
        places = {Source.TEXT: "a text", Source.STDIN: "standard input"}
        size = f"{len(self.text):,} character{'' if len(self.text) == 1 else 's'}"
        return f"{places.get(self.source) or f'the file {self.name}'} of {size}"


def read_given(argument: str, source: Source | None = None) -> Given:
    """What `argument` stands for: standard input (-), a file or pipe of that name, or itself.

    Args:
        source: TEXT or FILE, where the caller says which; None looks whether there is such a file.

    Raises:
        InputError: no file is there and it may be meant as one; it is a folder or device, is too
            large, cannot be read, or is not UTF-8.
    """
    if argument == "-":
        content = sys.stdin.buffer.read(LARGEST + 1)
        return Given(decoded(content, "standard input"), Source.STDIN)
    if source is Source.TEXT:
        return Given(argument, Source.TEXT)
    path = file_of(argument)
    if path is not None:
        return Given(_read(path, argument), Source.FILE, argument)
    if not argument.strip():
        raise InputError("there is no text", hint="give one, a file, or - for standard input")
    if source is Source.FILE or may_name_a_file(argument):
        raise _no_file(argument, source)
    return Given(argument, Source.TEXT)


def may_name_a_file(argument: str) -> bool:
    """Whether somebody may have meant a file: a word, a path, or a few words that end like one.

    Numbers, addresses of mail and of the web, and words with other marks are texts.
    """
    words = argument.split()
    if "\n" in argument or not _fits(argument):
        return False
    if len(words) > 1:
        named = _DOCUMENT.fullmatch(argument) is not None
        return named and (argument.startswith(_PATHS) or len(words) <= _MOST_WORDS)
    return argument.startswith(_PATHS) or _may_be_a_name(argument.strip())


def _fits(argument: str) -> bool:
    """Whether it is short enough for a path."""
    last = re.split(r"[/\\]", argument[: _LONGEST_PATH + 1])[-1]
    size = len(last.encode("utf-8", "surrogatepass"))
    return len(argument) <= _LONGEST_PATH and size <= _LONGEST_NAME


def _may_be_a_name(word: str) -> bool:
    mail = _MAIL.fullmatch(word) and not _DOCUMENT.fullmatch(word)
    if mail or _LINK.fullmatch(word):
        return False
    plain = _OF_NAMES.fullmatch(word) and any(map(str.isalpha, word))
    return bool(plain or _SUFFIX.search(word))


def file_of(argument: str) -> Path | None:
    """The file or pipe of that name; None where there is nothing, or the text can be no name.

    Raises:
        InputError: it is a folder, a device or a socket, or it cannot be looked at.
    """
    path = Path(argument)
    try:
        mode = path.stat().st_mode if argument else None
    except ValueError:  # a NUL
        return None
    except OSError as error:
        if error.errno in _ABSENT and not os.path.lexists(argument):
            return None
        raise _unreadable(argument, error) from error
    if mode is None:
        return None
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        return path
    kind = "a folder" if stat.S_ISDIR(mode) else "a device or socket"
    raise InputError(f"'{argument[:_SHOWN]}' is {kind}, no file", hint=_TO_SAY_WHICH)


def decoded(content: bytes, name: str) -> str:
    """The text of `content`.

    Raises:
        InputError: it has more than `LARGEST` bytes, or is not UTF-8.
    """
    if len(content) > LARGEST:
        raise InputError(f"{name} has more than {LARGEST:,} bytes", hint="give it in parts")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8: {error.reason} at byte {error.start}",
            hint="give plain text; `skerry index add` reads documents",
        ) from error


def _read(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return decoded(file.read(LARGEST + 1), name)
    except OSError as error:
        raise _unreadable(name, error) from error


def _no_file(argument: str, source: Source | None) -> InputError:
    shown = argument[:_SHOWN]
    if source is Source.FILE:
        return InputError(f"no file '{shown}'", hint="name a file that is there")
    return InputError(f"no file '{shown}', though it may be meant as one", hint=_TO_SAY_WHICH)


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError(
        f"'{name[:_SHOWN]}' cannot be read: {error.strerror}", hint="check the name and its rights"
    )
