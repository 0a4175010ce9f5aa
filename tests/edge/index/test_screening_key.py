"""A screening key that cannot be used is said when documents are added."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.edge.index import Index
from tests.edge.index.conftest import RandomEncoder, Write


def short(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0o600)


def empty(path: Path) -> None:
    path.touch(0o600)


def readable(path: Path) -> None:
    path.write_bytes(b"x" * 32)
    path.chmod(0o644)


def below_a_file(path: Path) -> None:
    path.parent.touch()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (short, "32 bytes"),
        (empty, "32 bytes"),
        (Path.mkdir, "folder"),
        (readable, "others can read it"),
        (below_a_file, "cannot be made"),
    ],
)
def test_a_key_that_cannot_be_used(
    tmp_path: Path, write: Write, make: Callable[[Path], None], words: str
) -> None:
    key = tmp_path / ("file/key" if make is below_a_file else "key")
    make(key)
    write("a.md", "# A\n\nText.")
    with Index.open(tmp_path / "i.db", RandomEncoder(), screening_key=key) as index:
        report = index.add([tmp_path / "docs"])
    assert len(report.added) == 1
    (warning,) = report.warnings
    assert warning.source == str(key)
    assert words in warning.what
    assert "chmod 600" in warning.hint


def test_one_that_can(tmp_path: Path, write: Write) -> None:
    write("a.md", "# A\n\nText.")
    with Index.open(tmp_path / "i.db", RandomEncoder(), screening_key=tmp_path / "key") as index:
        assert not index.add([tmp_path / "docs"]).warnings
