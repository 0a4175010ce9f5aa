"""Labels and declared dates follow the content of a file that is renamed, moved or copied."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.edge.index import Index, Metadata
from skerry.edge.index.schema import MIGRATIONS
from tests.edge.index.conftest import DAY, Clock, RandomEncoder

BOSS, STAFF = frozenset({"boss"}), frozenset({"staff"})
OPEN: frozenset[str] = frozenset()
SECRET = "The safe is in the cellar.\n"
OTHER = "The door is open.\n"
OWN = "---\nlabels: ward\n---\nThe safe is in the cellar.\n"


@pytest.fixture
def index(tmp_path: Path, clock: Clock) -> Iterator[Index]:
    with Index.open(tmp_path / "i.db", RandomEncoder(), clock=clock) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a secret, which is labelled when it is first added."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "safe.txt").write_text(SECRET)
    (folder / "door.txt").write_text(OTHER)
    return folder


@dataclass(frozen=True)
class Case:
    """What happens in the folder before it is added again, and the labels of its files then.

    `declared` are labels that the second add gives; `labelled` are files that the report names.
    """

    name: str
    act: Callable[[Path], object]
    labels: dict[str, frozenset[str]]
    declared: frozenset[str] | None = None
    labelled: tuple[str, ...] = ()


def rename(folder: Path) -> None:
    (folder / "safe.txt").rename(folder / "vault.txt")


def move(folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "safe.txt").rename(folder / "old" / "safe.txt")


def rename_and_reuse(folder: Path) -> None:
    rename(folder)
    (folder / "safe.txt").write_text("There is no safe.")


def rename_and_edit(folder: Path) -> None:
    rename(folder)
    (folder / "vault.txt").write_text(SECRET.replace("cellar", "attic"))


def swap(folder: Path) -> None:
    (folder / "safe.txt").write_text(OTHER)
    (folder / "door.txt").write_text(SECRET)


def copy(folder: Path) -> None:
    (folder / "copy.txt").write_text(SECRET)


CASES = [
    Case("renamed", rename, {"vault.txt": BOSS, "door.txt": OPEN}, labelled=("vault.txt",)),
    Case("moved", move, {"old/safe.txt": BOSS}, labelled=("safe.txt",)),
    Case("renamed, and its name used again", rename_and_reuse,
         {"vault.txt": BOSS, "safe.txt": BOSS}, labelled=("vault.txt",)),
    Case("two files swapped", swap, {"door.txt": BOSS, "safe.txt": BOSS}, labelled=("door.txt",)),
    Case("copied", copy, {"copy.txt": BOSS, "safe.txt": BOSS}, labelled=("copy.txt",)),
    Case("renamed and changed: a new document", rename_and_edit, {"vault.txt": OPEN}),
    Case("renamed, the caller says otherwise", rename, {"vault.txt": STAFF}, declared=STAFF),
    Case("renamed, the caller opens it", rename, {"vault.txt": OPEN}, declared=OPEN),
]  # fmt: skip


def labels(index: Index, path: Path) -> frozenset[str]:
    """The labels of the newest document from a file."""
    return [it for it in index.documents() if it.source == str(path)][-1].labels


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_labels_after(index: Index, folder: Path, clock: Clock, case: Case) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    index.add([folder])
    clock.now += DAY
    case.act(folder)
    report = index.add([folder], metadata=Metadata(labels=case.declared))
    assert {name: labels(index, folder / name) for name in case.labels} == case.labels
    assert tuple(Path(source).name for source in report.labelled) == case.labelled
    again = index.add([folder])
    assert (again.added, again.updated, again.labelled) == ((), (), ())


def test_nobody_finds_a_moved_file_who_could_not_before(index: Index, folder: Path) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    rename(folder)
    index.add([folder])
    assert {document.title for document in index.documents(labels=OPEN)} == {"Door"}


def test_labels_of_the_file_itself_go_with_it_even_changed(index: Index, folder: Path) -> None:
    (folder / "safe.txt").write_text(OWN)
    index.add([folder])
    (folder / "safe.txt").rename(folder / "vault.txt")
    (folder / "vault.txt").write_text(OWN.replace("cellar", "attic"))
    report = index.add([folder])
    assert labels(index, folder / "vault.txt") == {"ward"}
    assert report.labelled == ()


def test_a_copy_that_was_opened_stays_open(index: Index, folder: Path) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    copy(folder)
    index.add([folder / "copy.txt"], metadata=Metadata(labels=OPEN))
    index.add([folder])
    assert labels(index, folder / "copy.txt") == OPEN
    assert labels(index, folder / "safe.txt") == BOSS


def test_all_labels_that_the_content_has_add_up(index: Index, folder: Path) -> None:
    copy(folder)
    index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    index.add([folder / "copy.txt"], metadata=Metadata(labels=STAFF))
    (folder / "third.txt").write_text(SECRET)
    index.add([folder])
    assert labels(index, folder / "third.txt") == BOSS | STAFF


def test_what_was_removed_is_forgotten(index: Index, folder: Path) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    index.remove(str(folder / "safe.txt"))
    rename(folder)
    index.add([folder])
    assert labels(index, folder / "vault.txt") == OPEN


def test_an_index_from_before_knows_its_labels_too(tmp_path: Path, folder: Path) -> None:
    with Index.open(tmp_path / "i.db", RandomEncoder()) as index:
        index.add([folder / "safe.txt"], metadata=Metadata(labels=BOSS))
    with closing(sqlite3.connect(tmp_path / "i.db")) as connection:
        connection.execute("DROP INDEX documents_by_digest")
        connection.execute("PRAGMA user_version = 1")
    rename(folder)
    with Index.open(tmp_path / "i.db", RandomEncoder()) as index:
        index.add([folder])
        assert labels(index, folder / "vault.txt") == BOSS
    with closing(sqlite3.connect(tmp_path / "i.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.parametrize("more", ["labels != '[]'", "key = ''"])
def test_looking_for_a_content_reads_no_other_document(
    index: Index, tmp_path: Path, more: str
) -> None:
    index.add([tmp_path])
    sql = f"EXPLAIN QUERY PLAN SELECT labels FROM documents WHERE digest = ? AND {more}"
    with closing(sqlite3.connect(tmp_path / "i.db")) as connection:
        plan = str(connection.execute(sql, ("",)).fetchall())
    assert "documents_by_digest" in plan


def dates(index: Index, path: Path) -> tuple[float, float | None]:
    found = [it for it in index.documents(include_superseded=True) if it.source == str(path)]
    return found[-1].valid_from, found[-1].expires_at


DATED = Metadata(valid_from=1_000.0, expires_at=2e9)


def test_declared_dates_go_with_the_content(index: Index, folder: Path, clock: Clock) -> None:
    index.add([folder / "safe.txt"], metadata=DATED)
    rename(folder)
    report = index.add([folder])
    assert dates(index, folder / "vault.txt") == (1_000.0, 2e9)
    assert [Path(source).name for source in report.dated] == ["vault.txt"]
    assert index.add([folder]).unchanged
    (folder / "vault.txt").write_text("The safe is in the attic.")
    index.add([folder])
    assert dates(index, folder / "vault.txt") == (clock.now, 2e9)


def test_a_copy_is_valid_no_longer_than_any_other(index: Index, folder: Path) -> None:
    copy(folder)
    index.add([folder / "safe.txt"], metadata=DATED)
    index.add([folder / "copy.txt"], metadata=Metadata(valid_from=2_000.0, expires_at=3e9))
    (folder / "third.txt").write_text(SECRET)
    index.add([folder / "third.txt"])
    assert dates(index, folder / "third.txt") == (2_000.0, 2e9)


def test_what_has_expired_is_not_served_under_another_name(
    index: Index, folder: Path, clock: Clock
) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(expires_at=clock.now + DAY))
    clock.now += 2 * DAY
    rename(folder)
    index.add([folder / "vault.txt"])
    assert index.documents() == []


@pytest.mark.parametrize("ends", [math.inf, 4e9])
def test_the_caller_says_how_long_a_copy_is_valid(
    index: Index, folder: Path, clock: Clock, ends: float
) -> None:
    index.add([folder / "safe.txt"], metadata=Metadata(expires_at=2e9))
    copy(folder)
    report = index.add([folder / "copy.txt"], metadata=Metadata(expires_at=ends))
    expected = None if ends == math.inf else ends
    assert dates(index, folder / "copy.txt") == (clock.now, expected)
    assert report.dated == ()


def test_a_content_that_comes_back_does_not_begin_in_the_past(
    index: Index, folder: Path, clock: Clock
) -> None:
    """What was declared of a version is not declared of a later one, were it the same text."""
    index.add([folder / "safe.txt"], metadata=Metadata(valid_from=1_000.0))
    for text in (OTHER, SECRET):
        clock.now += DAY
        (folder / "safe.txt").write_text(text)
        index.add([folder])
    assert dates(index, folder / "safe.txt") == (clock.now, None)
