"""Which paths a manifest may name: the same file on every system, inside the folder. Pure.

Refused are paths that leave the folder or are absolute, names that one system cannot store or two
systems read differently (Windows' own list: "Naming Files, Paths, and Namespaces",
learn.microsoft.com), and pairs that are one file where letters' case or Unicode's form is ignored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

MAX_DEPTH = 16
_FORBIDDEN = frozenset('\\:*?"<>|')
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))]
)


def unsafe(path: str) -> str | None:
    """Why `path` may not be used; None where it may."""
    parts = path.split("/")
    if path.startswith("/"):
        return "it is absolute"
    if len(parts) > MAX_DEPTH:
        return f"it is more than {MAX_DEPTH} folders deep"
    if path != unicodedata.normalize("NFC", path):
        return "it is not in Unicode's composed form (NFC)"
    return next(filter(None, map(_unsafe_part, parts)), None)


def collisions(paths: Iterable[str]) -> Iterator[str]:
    """What is wrong between paths: the same twice, or a file where another needs a folder."""
    seen: dict[str, str] = {}
    listed = list(paths)
    for path in listed:
        if (first := seen.get(_key(path))) is not None:
            yield f"'{path}' and '{first}' are one file"
        seen.setdefault(_key(path), path)
    for path in listed:
        for folder in PurePosixPath(path).parents:
            if (other := seen.get(_key(str(folder)))) is not None:
                yield f"'{other}' is a file and a folder of '{path}'"


def _unsafe_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return f"it has '{part}' as a part"
    if any(char in _FORBIDDEN or not char.isprintable() for char in part):
        return "it has characters that not every system can store"
    if part[-1] in ". " or part[0] == " ":
        return "a part of it begins with a space, or ends with a space or a dot"
    if part.split(".", maxsplit=1)[0].lower() in _DEVICES:
        return f"'{part}' is the name of a device on Windows"
    return None


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())
