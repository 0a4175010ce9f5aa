"""An index whose file is deleted, replaced or restored while it is open."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.edge.errors import EdgeError, EmbedderMismatch, IndexFault, IndexReplaced
from skerry.edge.index import Event, Index, Query
from skerry.edge.index.collection import CollectionCache
from skerry.edge.parts import Parts
from skerry.edge.settings import Settings
from tests.edge.index.conftest import RandomEncoder, database_of

ENCODER = RandomEncoder()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    build(tmp_path / "index.db", "old", 3)
    return tmp_path / "index.db"


@pytest.fixture
def index(path: Path) -> Iterator[Index]:
    with Index.open(path, ENCODER) as opened:
        assert texts(opened) == {"old 0", "old 1", "old 2"}
        yield opened


def build(path: Path, word: str, records: int, encoder: RandomEncoder = ENCODER) -> None:
    with Index.open(path, encoder) as made:
        for number in range(records):
            made.ingest([Event("s", f"k{number}", f"{word} {number}")])


def delete(path: Path) -> None:
    for part in path.parent.glob("index.db*"):
        part.unlink()


def texts(index: Index) -> set[str]:
    hits = index.search(Query("old new", 99, floor=-1.0, per_source=99))
    return {hit.chunk.text for hit in hits}


@pytest.mark.parametrize("records", [1, 5])
@pytest.mark.parametrize("read_only", [False, True])
def test_one_that_was_deleted_and_built_again(path: Path, records: int, read_only: bool) -> None:
    with Index.open(path, ENCODER, read_only=read_only) as index:
        assert len(texts(index)) == 3
        delete(path)
        build(path, "new", records)
        assert texts(index) == {f"new {number}" for number in range(records)}
        assert {one.title for one in index.documents()} == {f"k{n}" for n in range(records)}
        assert len(index.chunks([1])) == 1
        assert index.stats().documents == records
        assert index.verify().ok


def test_one_that_another_was_moved_over(path: Path, index: Index) -> None:
    build(path.with_name("other.db"), "new", 1)
    path.with_name("other.db").rename(path)
    assert texts(index) == {"new 0"}
    index.ingest([Event("s", "more", "new more")])
    with Index.open(path, ENCODER) as fresh:
        assert texts(fresh) == {"new 0", "new more"}


def test_one_with_another_encoder(path: Path, index: Index) -> None:
    delete(path)
    build(path, "new", 1, RandomEncoder(id="random@2"))
    with pytest.raises(EmbedderMismatch):
        index.search(Query("old"))


def a_folder(path: Path) -> None:
    path.mkdir()


def nothing(path: Path) -> None:
    pass


def garbage(path: Path) -> None:
    path.write_bytes(b"no database " * 400)


def an_empty_file(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (a_folder, "is a folder"),
        (nothing, "there is no index"),
        (garbage, "damaged"),
        (an_empty_file, "empty file"),
    ],
)
def test_what_cannot_be_opened_is_an_error_until_it_can(
    path: Path, index: Index, make: Callable[[Path], None], words: str
) -> None:
    delete(path)
    make(path)
    for use in (lambda: texts(index), index.is_empty, lambda: index.ingest([])):
        with pytest.raises(IndexFault, match=words) as caught:
            use()
        assert caught.value.hint
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    build(path, "new", 1)
    assert texts(index) == {"new 0"}


def test_what_is_being_read_is_read_to_the_end(path: Path, index: Index) -> None:
    with index._reading() as (connection, cache):
        delete(path)
        build(path, "new", 1)
        assert texts(index) == {"new 0"}
        assert len(cache.current(connection).chunk_ids) == 3
        assert connection.execute("SELECT text FROM chunks").fetchall()[0] == ("old 0",)


def test_nothing_is_written_to_a_file_that_is_gone(path: Path, index: Index) -> None:
    database = database_of(index)
    delete(path)
    build(path, "new", 1)
    with pytest.raises(IndexReplaced), database.writing():
        pass
    assert IndexReplaced.retryable


def test_no_older_connection_touches_the_new_log(path: Path, index: Index) -> None:
    """SQLite removes a log by its name when the last connection is closed."""
    delete(path)
    with Index.open(path, ENCODER) as fresh:
        fresh.ingest([Event("s", "k", "new 0")])
        assert texts(index) == {"new 0"}  # closes what was open of the older file
        assert path.with_name("index.db-wal").exists()
        assert fresh.verify().ok


def test_an_older_copy_that_was_written_over_the_file(tmp_path: Path) -> None:
    """The same file, so nothing but its generation tells."""
    build(tmp_path / "older.db", "old", 1)
    build(tmp_path / "newer.db", "new", 3)
    cache = CollectionCache(ENCODER.id, ENCODER.dimensions, 1.0)
    for name, chunks in (("newer.db", 3), ("older.db", 1), ("newer.db", 3)):
        with Index.open(tmp_path / name, ENCODER) as one, database_of(one).reading() as connection:
            assert len(cache.current(connection).chunk_ids) == chunks


def test_many_threads_while_it_is_built_again(path: Path, index: Index) -> None:
    done = threading.Event()

    def read() -> set[str]:
        seen = set()
        while not done.is_set():
            try:
                found = texts(index)
            except EdgeError:  # while there is none
                continue
            assert len({text.split()[0] for text in found}) <= 1
            seen |= found
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for number in range(5):
            delete(path)
            build(path, f"new{number}", 2)
        done.set()
        for reader in readers:
            reader.result()
    assert texts(index) == {"new4 0", "new4 1"}


def test_no_text_of_another_index_stands_beside_a_passage(path: Path) -> None:
    """Ids are of one file: in another they may be anything's."""

    def rebuilt(word: str) -> None:
        with Index.open(path, ENCODER) as made:
            lines = [f"The {word} number {number} is kept in the cellar." for number in range(9)]
            made.ingest([Event("s", "k", "\n\n".join(lines * 9))])

    delete(path)
    rebuilt("oak")
    with Index.open(path, ENCODER) as index:
        chunk = index.search(Query("oak", floor=-1.0, limit=99, per_source=99))[1].chunk
        parts = Parts(Settings(), index=index)
        assert any("oak" in text for text in parts.beside(chunk))
        delete(path)
        rebuilt("elm")
        assert parts.beside(chunk) == ("", "")
