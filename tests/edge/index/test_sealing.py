"""A chunk that was changed in the file by other means is never read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from skerry.edge.errors import IndexCorrupt
from skerry.edge.index import Index, Query
from tests.edge.index.conftest import RandomEncoder, Write, database_of

ENCODER = RandomEncoder()


@pytest.fixture
def path(tmp_path: Path, write: Write) -> Path:
    write("doses.md", "# Doses\n\nThe dose is 10 mg.")
    write("hours.md", "# Hours\n\nWe open at nine.")
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        index.add([tmp_path / "docs"])
    return tmp_path / "index.db"


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def texts(index: Index, question: str) -> list[str]:
    return [hit.chunk.text for hit in index.search(Query(question, 1, floor=1.5))]


def earlier(path: Path) -> None:
    """Makes the file one of the version before digests."""
    run(
        path,
        "DROP INDEX chunks_without_digest",
        "ALTER TABLE chunks DROP COLUMN digest",
        "PRAGMA user_version = 4",
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chunks SET text = 'The dose is 90 mg.' WHERE text LIKE '%10 mg%'",
        "UPDATE chunks SET heading = '[\"Other\"]' WHERE text LIKE '%10 mg%'",
        "UPDATE documents SET title = 'Other' WHERE source LIKE '%doses.md'",
        "UPDATE documents SET source = 'other.md' WHERE source LIKE '%doses.md'",
    ],
)
def test_a_change_by_other_means_is_an_error(path: Path, change: str) -> None:
    with Index.open(path, ENCODER) as index:
        (hit,) = index.search(Query("dose", 1, floor=1.5))
        run(path, change)
        with pytest.raises(IndexCorrupt, match="changed in the file by other means") as caught:
            index.search(Query("dose", 1, floor=1.5))
        assert f"skerry index rm {hit.chunk.document_id}" in caught.value.hint
        with pytest.raises(IndexCorrupt):
            index.chunks([hit.chunk.id])
        assert len(texts(index, "open")) == 1
        assert any(f"chunk {hit.chunk.id}" in problem for problem in index.verify().problems)


def test_removed_and_added_again_it_is_well(path: Path) -> None:
    run(path, "UPDATE chunks SET text = 'The dose is 90 mg.' WHERE text LIKE '%10 mg%'")
    with Index.open(path, ENCODER) as index:
        index.remove(str(path.parent / "docs" / "doses.md"))
        index.add([path.parent / "docs"])
        assert "10 mg" in texts(index, "dose")[0]
        assert index.verify().ok


def test_a_text_that_was_changed_is_not_shown(path: Path) -> None:
    with Index.open(path, ENCODER) as index:
        (hit,) = index.search(Query("dose", 1, floor=1.5))
        other = "(SELECT text FROM documents WHERE source LIKE '%hours.md')"
        run(path, f"UPDATE documents SET text = {other}")
        with pytest.raises(IndexCorrupt, match="changed in the file"):
            index.document_text(hit.chunk.document_id)


@pytest.mark.parametrize("read_only", [True, False])
def test_an_earlier_file_is_read_as_it_is(path: Path, read_only: bool) -> None:
    earlier(path)
    with Index.open(path, ENCODER, read_only=read_only) as index:
        assert "10 mg" in texts(index, "dose")[0]
        assert index.verify().ok


def test_the_next_add_gives_an_earlier_file_its_digests(path: Path) -> None:
    run(path, "UPDATE chunks SET text = 'We open at ten.' WHERE text LIKE '%nine%'")
    earlier(path)
    with Index.open(path, ENCODER) as index:
        index.add([path.parent / "docs"])
        with database_of(index).reading() as connection:
            without = connection.execute("SELECT text FROM chunks WHERE digest IS NULL").fetchall()
        assert without == [("We open at ten.",)]  # as ever, `verify` tells it
        assert not index.verify().ok
        run(path, "UPDATE chunks SET text = 'The dose is 90 mg.' WHERE text LIKE '%10 mg%'")
        with pytest.raises(IndexCorrupt):
            texts(index, "dose")
