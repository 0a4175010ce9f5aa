"""Finds the line of a TOML file where a key is given; the standard parser does not say."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]


def known_part(document: Any, path: Path) -> Path:
    """The longest start of `path` that `document` has."""
    here = document
    for depth, step in enumerate(path):
        if not _has_step(here, step):
            return path[:depth]
        here = here[step]
    return path


def _has_step(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, Mapping) and step in value


def line_of(text: str, path: Path) -> int:
    """The line (from 1) at which the statement that gives `path` starts; 1 for the empty path.

    A file cut off after any whole statement is still valid TOML, so the first cut that has the
    key names its line, whatever way the key is written.

    Raises:
        ValueError: `text` is not TOML, or does not have `path`.
    """
    lines = text.split("\n")
    if known_part(tomllib.loads(text), path) != path:
        raise ValueError(f"the text has no key {path}")
    if not path:
        return 1
    cuts = range(1, len(lines) + 1)
    return cuts[bisect_left(cuts, True, key=lambda cut: _gives(lines, cut, path))]


def _gives(lines: Sequence[str], cut: int, path: Path) -> bool:
    """Whether the first `cut` lines, run on to the end of their statement, have the key."""
    for end in range(cut, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:end]) + "\n")
        except tomllib.TOMLDecodeError:
            continue
        return known_part(document, path) == path
    return True
