"""Symbolic links in folders, and folders that cannot be looked into."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from skerry.edge.index import Index, IngestReport
from tests.edge.index.conftest import RandomEncoder

TEXT = "The safe is in the cellar.\n"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index.open(tmp_path / "i.db", RandomEncoder()) as opened:
        yield opened


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with links to a file and a folder beside it, and to a hidden file of its own."""
    secret = tmp_path / "secret" / "deep"
    secret.mkdir(parents=True)
    (secret / "safe.txt").write_text(TEXT)
    docs = tmp_path / "docs"
    (docs / ".versions").mkdir(parents=True)
    (docs / "a.txt").write_text("One.")
    (docs / ".versions" / "b.txt").write_text("Two.")
    (docs / "b.txt").symlink_to(docs / ".versions" / "b.txt")
    (docs / "file.txt").symlink_to(secret / "safe.txt")
    (docs / "folder").symlink_to(secret.parent, target_is_directory=True)
    (docs / "again").symlink_to(docs, target_is_directory=True)
    return docs


def names(report: IngestReport) -> list[str]:
    return sorted(Path(source).name for source in report.added)


def test_links_out_of_a_folder_are_not_followed(index: Index, docs: Path) -> None:
    report = index.add([docs])
    assert names(report) == ["a.txt", "b.txt"]
    assert sorted(report.links) == [str(docs / "file.txt"), str(docs / "folder")]


def test_links_are_followed_when_asked_for(index: Index, docs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret" / "back").symlink_to(tmp_path / "secret", target_is_directory=True)
    report = index.add([docs], follow_links=True)
    assert names(report) == ["a.txt", "b.txt", "safe.txt"]
    assert report.links == ()


def test_a_link_that_is_named_is_followed(index: Index, docs: Path) -> None:
    assert names(index.add([docs / "file.txt"])) == ["safe.txt"]
    report = index.add([docs / "folder"])
    assert (len(report.unchanged), report.links) == (1, ())


def test_what_is_there_by_two_names_counts_once(index: Index, docs: Path) -> None:
    report = index.add([docs, docs / "again", docs / "a.txt"])
    assert names(report) == ["a.txt", "b.txt"]
    assert len(report.links) == 2


UNREADABLE = """
import os, sys
from pathlib import Path
from skerry.edge.index import Index
from tests.edge.index.conftest import RandomEncoder
RandomEncoder().encode(["imports what it needs while it may"])
folder = Path(sys.argv[1])
index = Index.open(folder / "i.db", RandomEncoder())
for path in (folder, *folder.iterdir()):
    os.chown(path, 65534, 65534)
if os.geteuid() == 0:
    os.setuid(65534)  # root may read everything
report = index.add([folder / "docs", folder / "docs" / "shut" / "in.txt"])
print(len(report.added), *sorted(failure.what for failure in report.failed), sep="|")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_a_folder_that_cannot_be_looked_into_has_failed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shut = Path(folder) / "docs" / "shut"
        shut.mkdir(parents=True)
        (shut / "in.txt").write_text(TEXT)
        (shut.parent / "out.txt").write_text(TEXT)
        shut.chmod(0)
        command = [sys.executable, "-c", UNREADABLE, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        shut.chmod(0o700)
    assert done.stderr == ""
    added, looked, read = done.stdout.strip().split("|")
    assert added == "1"
    assert "cannot be looked into: Permission denied" in looked
    assert "cannot be read: Permission denied" in read
