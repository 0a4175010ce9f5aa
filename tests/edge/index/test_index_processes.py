from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.edge.errors import EmbedderMismatch
from skerry.edge.index import Event, Index, Progress, Query, postings, reembed
from tests.edge.index.conftest import RandomEncoder, Write

ENCODER = RandomEncoder()

ADD = """
import sys
from pathlib import Path
from skerry.edge.index import Index
from tests.edge.index.conftest import RandomEncoder
folder = Path(sys.argv[1])
with Index.open(folder / "index.db", RandomEncoder()) as index:
    index.add([folder / "docs"], progress=lambda step: print(step.done, flush=True))
"""


def found(index: Index, text: str, limit: int = 99) -> set[str]:
    hits = index.search(Query(text, limit, floor=-1.0, per_source=99))
    return {hit.chunk.title for hit in hits}


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_process_that_is_killed_leaves_whole_documents(
    tmp_path: Path, write: Write, after: int
) -> None:
    for number in range(40):
        write(f"{number:02}.md", "".join(f"## {number}-{n}\n\nPart {n}.\n\n" for n in range(60)))
    command = [sys.executable, "-c", ADD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == after:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        documents = index.documents()
        assert after <= len(documents) < 40
        assert {document.chunks for document in documents} == {60}
        assert index.verify().ok
        report = index.add([tmp_path / "docs"])
        assert len(report.unchanged) + len(report.added) == 40
        assert index.stats().chunks == 2400
        assert index.verify().ok


def test_a_reader_sees_what_another_process_writes(tmp_path: Path, write: Write) -> None:
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        assert found(index, "oak") == set()
        write("oak.md", "# Oak\n\nAn oak is a tree.")
        run_add(tmp_path)
        assert found(index, "oak") == {"Oak"}
        write("oak.md", "# Elm\n\nAn elm is a tree.")
        write("fir.md", "# Fir\n\nA fir is a tree.")
        run_add(tmp_path)
        assert found(index, "tree") == {"Elm", "Fir"}
        with Index.open(tmp_path / "index.db", ENCODER) as other:
            other.remove(str(tmp_path / "docs" / "fir.md"))
        assert found(index, "tree") == {"Elm"}


def run_add(folder: Path) -> None:
    command = [sys.executable, "-c", ADD, str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def test_a_reader_follows_sealing_compacting_and_many_removals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are lowered so that each comes about within some records."""
    monkeypatch.setattr(postings, "SEAL_AT", 5)
    monkeypatch.setattr("skerry.edge.index.store._MOST_REMOVALS", 3)
    monkeypatch.setattr("skerry.edge.index.store._MOST_DEAD", 3)
    path = tmp_path / "index.db"
    with Index.open(path, ENCODER) as writer, Index.open(path, ENCODER, read_only=True) as reader:
        for number in range(40):
            writer.ingest([Event("s", f"k{number % 8}", f"Oak number n{number}.")])
            kept = {f"k{n % 8}" for n in range(max(0, number - 7), number + 1)}
            assert found(reader, "oak") == kept
            (first, *_) = reader.search(Query(f"n{number}", floor=-1.0))
            assert first.bm25 is not None
        assert reader.stats().chunks == 8
        assert writer.verify().ok
        fresh = Index.open(path, ENCODER)
        query = Query("oak n39", floor=-1.0, limit=9, per_source=9)
        assert [h.chunk.title for h in fresh.search(query)] == [
            h.chunk.title for h in reader.search(query)
        ]
        fresh.close()


def test_many_threads_read_while_one_writes(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        index.ingest([Event("s", "k0", "Oak number 0.")])
        done = threading.Event()

        def read() -> int:
            searches = 0
            while not done.is_set() or searches == 0:
                assert "k0" in found(index, "oak")
                searches += 1
            return searches

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(4)]
            for number in range(1, 60):
                index.ingest([Event("s", f"k{number}", f"Oak number {number}.")])
            done.set()
            assert all(reader.result() for reader in readers)
        assert found(index, "oak") == {f"k{number}" for number in range(60)}


def test_two_threads_add_the_same_files(tmp_path: Path, write: Write) -> None:
    for number in range(10):
        write(f"{number}.md", f"# Tree {number}\n\nAn oak.")
    with Index.open(tmp_path / "index.db", ENCODER) as index, ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: index.add([tmp_path / "docs"]), range(2)))
        assert sum(len(report.added) for report in reports) == 10
        assert sum(len(report.unchanged) for report in reports) == 10
        assert len(index.documents(include_superseded=True)) == 10


NEXT = RandomEncoder(id="random@2", dimensions=48)


@pytest.fixture
def path(tmp_path: Path, write: Write) -> Path:
    """An index with 200 chunks, closed."""
    write("trees.md", "".join(f"## Tree {n}\n\nAn oak of {n} years.\n\n" for n in range(200)))
    with Index.open(tmp_path / "index.db", ENCODER) as index:
        index.add([tmp_path / "docs"])
    return tmp_path / "index.db"


def test_another_encoder_takes_over(path: Path) -> None:
    assert reembed(path, NEXT) == 200
    assert reembed(path, NEXT) == 0
    with pytest.raises(EmbedderMismatch):
        Index.open(path, ENCODER)
    with Index.open(path, NEXT) as index:
        assert index.verify().ok
        (hit, *_) = index.search(Query("Tree 7", floor=-1.0), NEXT.encode(["Tree 7\n\nx"])[0])
        assert hit.bm25 is not None
        assert index.stats().dimensions == 48


def test_an_open_index_takes_another_encoder(path: Path) -> None:
    with Index.open(path, ENCODER) as index:
        assert index.reembed(NEXT) == 200
        assert index.stats().encoder_id == NEXT.id
        assert len(index.search(Query("Tree 7", floor=-1.0))) > 0
        index.ingest([Event("s", "k", "A new tree.")])
        assert index.verify().ok


def test_an_interrupted_migration_serves_the_old_and_goes_on(path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(step: Progress) -> None:
        assert step.total == 200
        if step.done > 100:
            raise Stop

    with Index.open(path, ENCODER) as index:
        before = index.search(Query("Tree 7", floor=-1.0))
        with pytest.raises(Stop):
            reembed(path, NEXT, stop)
        assert index.search(Query("Tree 7", floor=-1.0)) == before
        index.ingest([Event("s", "k", "A new tree.")])
        assert 0 < reembed(path, NEXT) <= 101
        with pytest.raises(EmbedderMismatch):
            index.search(Query("Tree 7"))
        with pytest.raises(EmbedderMismatch):
            index.ingest([Event("s", "l", "Another tree.")])
    with Index.open(path, NEXT) as index:
        assert index.verify().ok
        assert index.stats().chunks == 201


def test_a_third_encoder_starts_anew(path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(step: Progress) -> None:
        raise Stop

    with pytest.raises(Stop):
        reembed(path, RandomEncoder(id="random@3"), stop)
    assert reembed(path, NEXT) == 200
    with Index.open(path, NEXT) as index:
        assert index.verify().ok
