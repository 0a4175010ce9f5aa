from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from skerry.edge.errors import (
    EmbedderMismatch,
    IndexCorrupt,
    IndexFault,
    IndexFull,
    IndexLocked,
)
from skerry.edge.index import Event, Index, IndexSettings, Query
from tests.edge.index.conftest import RandomEncoder, Write, database_of

ENCODER = RandomEncoder()
RECORD = Event("rota", "now", "On call is Lee.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index with one record, closed."""
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        index.ingest([RECORD])
    return tmp_path / "index.db"


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_new_index_makes_its_folder(tmp_path: Path) -> None:
    Index.open(tmp_path / "a" / "b" / "index.db", ENCODER).close()
    assert (tmp_path / "a" / "b" / "index.db").exists()


@pytest.mark.parametrize("read_only", [True, False])
def test_no_ordinary_file(tmp_path: Path, read_only: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(IndexFault, match="no ordinary file") as caught:
            Index.open(path, ENCODER, read_only=read_only)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Not a database at all, only some text. " * 40, "damaged"),
        (b"SQLite format 3\0" + b"\x99" * 4000, "damaged"),
    ],
)
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "index.db"
    path.write_bytes(content)
    with pytest.raises(IndexCorrupt, match=words) as caught:
        Index.open(path, ENCODER)
    assert caught.value.hint
    assert path.read_bytes() == content


def test_a_file_that_lost_its_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:-4096] = b"\x55" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(IndexCorrupt), Index.open(path, ENCODER) as index:
        index.search(Query("call"))


def test_a_file_that_was_cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(IndexCorrupt), Index.open(path, ENCODER) as index:
        index.search(Query("call"))


def test_the_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    before = path.read_bytes()
    with pytest.raises(IndexFault, match="another program"):
        Index.open(path, ENCODER)
    assert path.read_bytes() == before


def test_an_index_of_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(IndexFault, match="later version") as caught:
        Index.open(path, ENCODER)
    assert "Upgrade" in caught.value.hint


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(IndexFault, match="folder"):
        Index.open(tmp_path, ENCODER)


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexFault, match="cannot be opened"):
        Index.open(tmp_path / "file" / "index.db", ENCODER)


def test_another_encoder(path: Path) -> None:
    with pytest.raises(EmbedderMismatch, match="random@1") as caught:
        Index.open(path, RandomEncoder(id="random@2"))
    assert "skerry index reembed" in caught.value.hint


def test_reading_only(path: Path, tmp_path: Path) -> None:
    with Index.open(path, ENCODER, read_only=True) as index:
        assert len(index.search(Query("call", floor=-1.0))) == 1
        with pytest.raises(IndexFault, match="read only"):
            index.ingest([RECORD])
        with pytest.raises(IndexFault, match="read only"):
            index.remove("rota")
    with pytest.raises(IndexFault, match="no index"):
        Index.open(tmp_path / "none.db", ENCODER, read_only=True)
    assert not (tmp_path / "none.db").exists()


READ_ONLY_MEDIUM = """
import os, sys
from pathlib import Path
from skerry.edge.errors import IndexFault
from skerry.edge.index import Index, Query
from tests.edge.index.conftest import RandomEncoder
RandomEncoder().encode(["imports what it needs while it may"])
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
path = Path(sys.argv[1])
with Index.open(path, RandomEncoder(), read_only=True) as index:
    print(len(index.search(Query("call", floor=-1.0))))
try:
    Index.open(path, RandomEncoder())
except IndexFault as error:
    print(error.what)
"""


def test_a_folder_that_cannot_be_written(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "index.db"
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o444)
        copy.parent.chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY_MEDIUM, str(copy)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        copy.parent.chmod(0o755)
    assert done.stderr == ""
    found, refused = done.stdout.splitlines()
    assert found == "1"
    assert "cannot be opened" in refused


def test_a_closed_index(path: Path) -> None:
    index = Index.open(path, ENCODER)
    index.close()
    index.close()
    for call in (index.documents, lambda: index.ingest([RECORD]), lambda: index.search(Query("x"))):
        with pytest.raises(IndexFault, match="closed"):
            call()


@pytest.fixture
def locked(path: Path) -> Iterator[Path]:
    """The index while another process is writing it."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield path
    other.execute("ROLLBACK")
    other.close()


def test_while_another_process_writes(locked: Path) -> None:
    with Index.open(locked, ENCODER, settings=IndexSettings(busy_timeout_ms=50)) as index:
        assert len(index.search(Query("call", floor=-1.0))) == 1
        with pytest.raises(IndexLocked) as caught:
            index.ingest([Event("rota", "next", "On call is Roy.")])
        assert caught.value.retryable
        assert len(index.documents()) == 1


FILL = """
import resource, sys
from pathlib import Path
from skerry.edge.errors import IndexFull
from skerry.edge.index import Index
from tests.edge.index.conftest import RandomEncoder
folder = Path(sys.argv[1])
index = Index.open(folder / "index.db", RandomEncoder())
index.add([folder / "docs" / "a.md"])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
try:
    index.add([folder / "docs"])
except IndexFull as error:
    print(error.what, error.hint, sep="|")
"""


def test_a_full_disk_loses_nothing(tmp_path: Path, write: Write) -> None:
    for name in "abcdef":
        body = "".join(f"## {name}{n}\n\nThe word{name}{n} of it.\n\n" for n in range(150))
        write(f"{name}.md", body)
    command = [sys.executable, "-c", FILL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    what, hint = done.stdout.strip().split("|")
    assert "cannot grow" in what
    assert "of 6 files were taken and are kept" in what
    assert "Free space" in hint
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        kept = len(index.documents())
        assert 1 <= kept < 6
        assert index.verify().ok
        report = index.add([tmp_path / "docs"])
        assert (len(report.unchanged), len(report.added)) == (kept, 6 - kept)
        assert index.verify().ok


def test_a_full_file(path: Path) -> None:
    """SQLite's own limit gives the error code of a full disk."""
    with Index.open(path, ENCODER) as index:
        with database_of(index).writing() as connection:
            connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(IndexFull):
            index.ingest([Event("s", "k", "word " * 20_000)])
        assert len(index.documents()) == 1
        assert index.verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE vectors SET vector = x'0011'",
        "UPDATE documents SET labels = '['",
        "UPDATE chunks SET heading = 'x'",
        "UPDATE chunks SET text = CAST(x'ff' AS TEXT)",
    ],
)
def test_damage_that_sqlite_cannot_see(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    with Index.open(path, ENCODER) as index:
        for _ in range(2):
            with pytest.raises(IndexFault) as caught:
                index.search(Query("call", floor=-1.0))
            assert caught.value.hint


def test_a_damaged_text_cannot_be_opened(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE documents SET text = x'0011'")
    with Index.open(path, ENCODER) as index, pytest.raises(IndexCorrupt):
        index.document_text(1)


def test_a_chunk_without_a_vector_is_not_served(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM vectors")
    with Index.open(path, ENCODER) as index:
        assert index.search(Query("call", floor=-1.0)) == []
        index.ingest([Event("rota", "next", "On call is Roy.")])
        assert len(index.search(Query("call", floor=-1.0))) == 1


DAMAGES = {
    "a text": ("UPDATE documents SET text = x'00'", "text of document"),
    "another text": ("UPDATE documents SET text_digest = 'x'", "text of document"),
    "a vector": ("DELETE FROM vectors", "no vector"),
    "half a vector": ("UPDATE vectors SET vector = x'00'", "wrong length"),
    "words": ("DELETE FROM unsealed", "not all in the postings"),
    "chunks": ("DELETE FROM chunks", "has no chunks"),
    "a document": ("DELETE FROM documents", "belongs to nothing"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_verify_finds_what_is_missing(path: Path, name: str) -> None:
    statement, words = DAMAGES[name]
    with Index.open(path, ENCODER) as index:
        assert index.verify().ok
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)
        report = index.verify()
        assert not report.ok
        assert any(words in problem for problem in report.problems)
