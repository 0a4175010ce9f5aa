"""What names a source: the digest of its content, and that of its tokenizer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from skerry.bundles import Tokenizer
from skerry.bundles.gguf.errors import GgufError
from skerry.bundles.gguf.keys import tokenizer_digest
from skerry.bundles.hashing import sha256
from skerry.export.errors import SourceRefused
from skerry.export.planning import Subject

_READ = frozenset([".safetensors", ".json", ".model", ".txt", ".jinja", ".md"])
"""Suffixes of what exporters read in a folder; weights in pickles are never read."""


def source_digest(path: Path) -> str:
    """SHA-256 (hex) of a file; of a folder that of the JSON list of its files' names and digests.

    Raises:
        SourceRefused: it cannot be read.
    """
    try:
        if path.is_file():
            return sha256(path.resolve())
        listed = [[name, sha256((path / name).resolve())] for name in _files(path)]
    except OSError as error:
        what = f"the model '{path}' cannot be read: {error.strerror}"
        raise SourceRefused(what, hint="check the path and its rights") from error
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def tokenizer_of(subject: Subject) -> Tokenizer | None:
    """The tokenizer of a source: docs/bundles.md says what its digest is of.

    None of a folder without a `tokenizer.json`.

    Raises:
        SourceRefused: it is no whole GGUF file.
    """
    if subject.format == "gguf":
        try:
            digest = tokenizer_digest(subject.path)
        except GgufError as error:
            raise SourceRefused(error.what, hint=error.hint) from error
        return Tokenizer(sha256=digest, vocabulary=subject.vocabulary)
    file = subject.path / "tokenizer.json"
    if not file.is_file():
        return None
    return Tokenizer(sha256=sha256(file.resolve()), vocabulary=subject.vocabulary)


def _files(folder: Path) -> Iterator[str]:
    """Relative paths, in order; hidden files and folders are left out."""
    next(folder.iterdir(), None)  # raises where there is no folder
    found = (path for path in folder.rglob("*") if path.suffix in _READ and path.is_file())
    names = (path.relative_to(folder) for path in found)
    yield from sorted(one.as_posix() for one in names if not _is_hidden(one))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
