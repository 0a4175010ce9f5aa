"""Damaged files: whatever is done with one, only a clear error comes of it, and `verify` tells."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from skerry.edge.cli.index import index as command
from skerry.edge.errors import EdgeError, IndexCorrupt
from skerry.edge.index import Event, Index, Metadata, Query
from skerry.edge.index.store import change
from tests.edge.index.conftest import RandomEncoder, database_of

ENCODER = RandomEncoder()
WORDS = "trolley fridge rota bike alarm door key dose".split()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an index with documents of some chunks, records, sealed words and others."""
    folder = tmp_path_factory.mktemp("whole")
    choose = random.Random(1)
    for n in range(6):
        body = "\n\n".join(" ".join(choose.choices(WORDS, k=60)) for _ in range(9))
        (folder / f"d{n}.md").write_text(f"---\nversion: {n}\n---\n# Title {n}\n\n{body}")
    with Index.open(folder / "i.db", ENCODER) as index:
        index.add([folder], metadata=Metadata(labels=frozenset({"boss"})))
        with change(database_of(index)) as transaction:
            transaction.seal(at_least=1)
        index.ingest(Event("rota", str(n), f"On call: {n}") for n in range(9))
        assert index.verify().problems == ()
    return (folder / "i.db").read_bytes()


def every_use(path: Path) -> list[Callable[[Index], object]]:
    query = Query("the trolley key", floor=-1.0, labels=frozenset({"boss"}))
    return [
        lambda index: index.documents(include_superseded=True),
        lambda index: index.search(query),
        lambda index: [index.document_text(it.id) for it in index.documents()],
        lambda index: index.stats(),
        lambda index: index.verify(),
        lambda index: index.ingest([Event("rota", "1", "On call: nobody")]),
        lambda index: index.add([path.with_name("new.md")]),
        lambda index: index.remove("rota"),
    ]


def use(path: Path) -> list[EdgeError]:
    """The errors of every use of the file; others are not caught."""
    path.with_name("new.md").write_text("# New\n\nA new trolley.")
    errors: list[EdgeError] = []
    for one in every_use(path):
        try:
            with Index.open(path, ENCODER) as index:
                one(index)
        except EdgeError as error:
            errors.append(error)
    return errors


@pytest.mark.parametrize("seed", range(40))
def test_bytes_that_changed_anywhere(whole: bytes, tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)
    damaged = bytearray(whole)
    for _ in range(choose.choice([1, 3, 30])):
        at = choose.randrange(100, len(damaged))
        damaged[at] = choose.choice([0, 255, damaged[at] ^ 1 << choose.randrange(8)])
    path = tmp_path / "i.db"
    path.write_bytes(damaged)
    assert all(error.hint for error in use(path))


DAMAGES = [
    "UPDATE documents SET text = 5",
    "UPDATE documents SET text = 'x'",
    "UPDATE documents SET labels = '5'",
    "UPDATE documents SET labels = '[1]'",
    "UPDATE documents SET labels = x'00'",
    "UPDATE documents SET kind = 'anchoreb'",
    "UPDATE documents SET title = x'ff00'",
    "UPDATE documents SET title = CAST(x'ff00' AS TEXT)",
    "UPDATE documents SET declared = '{}' WHERE key = ''",
    "UPDATE documents SET metadata = '7'",
    "UPDATE documents SET valid_from = 'soon'",
    "UPDATE documents SET expires_at = 'never'",
    "UPDATE chunks SET heading = '{}'",
    "UPDATE chunks SET text = 'another text'",
    "UPDATE chunks SET start = 'x'",
    "UPDATE chunks SET word_count = 'many'",
    "UPDATE chunks SET document_id = 999",
    "UPDATE vectors SET vector = zeroblob(length(vector))",
    "UPDATE vectors SET vector = x'0000c07f' || substr(vector, 5)",
    "UPDATE vectors SET vector = 7",
    "UPDATE vectors SET chunk_id = 4611686018427387904 WHERE chunk_id = 1",
    "UPDATE chunks SET id = 4611686018427387904 WHERE id = 1",
    "UPDATE unsealed SET words = x'00'",
    "UPDATE postings SET offsets = x'00'",
    "UPDATE postings SET counts = 'x'",
    "UPDATE facts SET value = 'x' WHERE name = 'generation'",
    "DELETE FROM facts WHERE name != 'encoder_id'",
    "DROP TABLE words",
    "PRAGMA user_version = 1",
    "PRAGMA user_version = -1",
]


def damage(path: Path, whole: bytes, statement: str) -> Path:
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return path


@pytest.mark.parametrize("statement", DAMAGES)
def test_values_that_cannot_be(whole: bytes, tmp_path: Path, statement: str) -> None:
    path = damage(tmp_path / "i.db", whole, statement)
    assert all(error.hint for error in use(path))
    damage(path, whole, statement)
    done = CliRunner().invoke(command, ["verify", "--index", str(path)])
    if "user_version" in statement:
        return  # the tables are as they were
    assert isinstance(done.exception, EdgeError) or done.exit_code == 5


def test_the_words_of_a_damaged_document_are_not_in_the_error(tmp_path: Path, whole: bytes) -> None:
    statement = "UPDATE documents SET title = CAST(x'736563726574ff' AS TEXT)"
    path = damage(tmp_path / "i.db", whole, statement)
    with Index.open(path, ENCODER) as index:
        with pytest.raises(IndexCorrupt, match="UTF-8") as caught:
            index.documents()
        told = " ".join(index.verify().problems)
    assert "UTF-8" in told
    assert "secret" not in caught.value.what + told


def test_an_error_of_a_whole_file_is_no_damage(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "i.db"
    path.write_bytes(whole)
    with (
        Index.open(path, ENCODER) as index,
        pytest.raises(ZeroDivisionError),
        database_of(index).reading(),
    ):
        1 / 0  # noqa: B018
