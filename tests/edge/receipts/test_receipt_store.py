"""Receipts on disk, in a real SQLite file, through everything that can happen to one."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import timeit
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from skerry.edge.errors import (
    InputError,
    ReceiptNotFound,
    StateCorrupt,
    StateError,
    StateFull,
    StateLocked,
)
from skerry.edge.receipts import Receipt, ReceiptStore, Retention
from skerry.edge.state import Schema, StateFile

Make = Callable[..., Receipt]
DAY = 86_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@pytest.fixture
def store(path: Path) -> Iterator[ReceiptStore]:
    with ReceiptStore.open(path) as opened:
        yield opened


def test_a_receipt_outlives_the_process(path: Path, make_receipt: Make) -> None:
    receipt = make_receipt()
    with ReceiptStore.open(path) as store:
        assert store.add(receipt) == receipt
    with ReceiptStore.open(path) as store:
        assert store.get(receipt.id) == receipt


def test_last_is_the_one_added_last(store: ReceiptStore, make_receipt: Make) -> None:
    store.add(make_receipt(created_at=2000.0))
    last = store.add(make_receipt(created_at=1000.0))
    assert store.get("last") == last


def test_a_prefix_that_only_one_has(store: ReceiptStore, make_receipt: Make) -> None:
    one = store.add(make_receipt(id="0198aaaa-0001"))
    store.add(make_receipt(id="0198aaaa-0002"))
    store.add(make_receipt(id="0199"))
    assert store.get("0198AAAA-0001 ") == one
    assert store.get("0199").id == "0199"
    with pytest.raises(ReceiptNotFound, match="more than one"):
        store.get("0198")


def test_a_prefix_of_many_names_the_newest_five(store: ReceiptStore, make_receipt: Make) -> None:
    for number in range(8):
        store.add(make_receipt(id=f"0198aaaa-bbbb-ccc{number}-dddd", created_at=1000.0 + number))
    with pytest.raises(ReceiptNotFound) as caught:
        store.get("0198")
    named = re.findall(r"0198aaaa-bbbb-ccc(\d) \(\d{4}-\d\d-\d\d ", caught.value.what)
    assert named == ["7", "6", "5", "4", "3"]


@pytest.mark.parametrize("key", ["", "  ", "ffff", "%", "*", "'; --", "\x00", "\ud800", "lastly"])
def test_no_such_receipt(store: ReceiptStore, make_receipt: Make, key: str) -> None:
    store.add(make_receipt())
    with pytest.raises(ReceiptNotFound) as caught:
        store.get(key)
    assert caught.value.hint


def test_an_empty_store(store: ReceiptStore) -> None:
    assert store.list() == ()
    with pytest.raises(ReceiptNotFound):
        store.get("last")


def test_the_list_is_newest_first_and_bounded(store: ReceiptStore, make_receipt: Make) -> None:
    made = [store.add(make_receipt(created_at=1000.0 + n)) for n in range(5)]
    assert store.list() == tuple(reversed(made))
    assert store.list(limit=2) == (made[4], made[3])
    assert store.list(since=1003.0) == (made[4], made[3])
    assert store.list(limit=-1) == ()
    assert store.list(limit=10**30) == store.list()


def test_the_same_receipt_twice(store: ReceiptStore, make_receipt: Make) -> None:
    receipt = store.add(make_receipt())
    with pytest.raises(InputError, match="never change"):
        store.add(make_receipt(id=receipt.id, error="another"))
    assert store.list() == (receipt,)


def test_text_that_is_not_unicode_is_kept_as_far_as_it_goes(
    store: ReceiptStore, make_receipt: Make
) -> None:
    store.add(make_receipt(session="\ud800", error="\udfff"))
    assert (store.get("last").session, store.get("last").error) == ("?", "?")


def test_a_row_cannot_be_changed(path: Path, store: ReceiptStore, make_receipt: Make) -> None:
    store.add(make_receipt())
    with (
        sqlite3.connect(path) as other,
        pytest.raises(sqlite3.IntegrityError, match="never change"),
    ):
        other.execute("UPDATE receipts SET body = '{}'")
    other.close()


def test_only_so_many_are_kept(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path, retention=Retention(max_receipts=3)) as store:
        made = [store.add(make_receipt()) for _ in range(5)]
        assert store.list() == (made[4], made[3], made[2])


def test_only_so_long_are_they_kept(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path, retention=Retention(max_age_days=2)) as store:
        store.add(make_receipt(created_at=0.0))
        kept = store.add(make_receipt(created_at=1.5 * DAY))
        last = store.add(make_receipt(created_at=3 * DAY))
        assert store.list() == (last, kept)


def test_a_clock_that_jumps_ahead_takes_few_away(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path) as store:
        for number in range(40):
            store.add(make_receipt(created_at=DAY + number))
        store.add(make_receipt(created_at=10_000 * DAY))
        kept = store.list(100)
        assert len(kept) == 31
        assert min(one.created_at for one in kept) == DAY + 10
        assert store.prune(10_000 * DAY) == 30
        assert len(store.list()) == 1


def test_nothing_is_pruned_where_age_has_no_limit(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path, retention=Retention(max_age_days=None)) as store:
        store.add(make_receipt(created_at=0.0))
        assert store.prune(10_000 * DAY) == 0


def test_no_limit_of_age(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path, retention=Retention(max_age_days=None)) as store:
        store.add(make_receipt(created_at=0.0))
        store.add(make_receipt(created_at=10_000 * DAY))
        assert len(store.list()) == 2


@pytest.mark.parametrize("limits", [{"max_receipts": 0}, {"max_age_days": 0.0}])
def test_a_retention_that_keeps_nothing(limits: dict[str, float]) -> None:
    with pytest.raises(InputError, match="keeps no receipt"):
        Retention(**limits)  # type: ignore[arg-type]


def test_text_is_kept_only_where_wanted(path: Path, make_receipt: Make) -> None:
    receipt = make_receipt()
    assert receipt.question.text
    with ReceiptStore.open(path, retention=Retention(store_text=False)) as store:
        assert store.add(receipt).question.text is None
        assert store.get("last").question.digest == receipt.question.digest
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert receipt.question.text.encode() not in content


def test_others_cannot_read_the_file(path: Path, store: ReceiptStore, make_receipt: Make) -> None:
    store.add(make_receipt())
    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_other_tables_of_the_state_file_are_left_alone(path: Path, make_receipt: Make) -> None:
    StateFile.open(path, Schema("test", ())).close()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE sessions (id)")
        other.execute("INSERT INTO sessions VALUES (7)")
    with ReceiptStore.open(path) as store:
        store.add(make_receipt())
    assert other.execute("SELECT id FROM sessions").fetchall() == [(7,)]
    other.close()


def test_many_threads_and_two_stores(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path) as one, ReceiptStore.open(path) as two:
        threads = [
            threading.Thread(
                target=lambda to: [to.add(make_receipt()) for _ in range(10)], args=[to]
            )
            for to in (one, two, one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one.list(limit=100)) == 40


@pytest.mark.parametrize(
    "content", [b"this is no database", b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StateCorrupt, match=r"state\.db") as caught:
        ReceiptStore.open(path)
    assert "move the file away" in caught.value.hint
    assert path.read_bytes() == content


def test_a_damaged_page(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path) as store:
        for _ in range(20):
            store.add(make_receipt())
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with pytest.raises(StateCorrupt), ReceiptStore.open(path) as store:
        store.list()


def test_a_damaged_receipt_spoils_no_other(path: Path, make_receipt: Make) -> None:
    with ReceiptStore.open(path) as store:
        good = store.add(make_receipt())
        with sqlite3.connect(path) as other:
            other.execute("INSERT INTO receipts (id, created_at, body) VALUES ('bad', 1, '{')")
        other.close()
        with pytest.raises(StateCorrupt, match="receipt bad"):
            store.get("bad")
        assert store.get(good.id) == good


def test_another_process_holds_the_file(
    path: Path, store: ReceiptStore, make_receipt: Make
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateLocked) as caught:
        store.add(make_receipt())
    assert caught.value.retryable
    other.execute("ROLLBACK")
    other.close()
    store.add(make_receipt())
    assert len(store.list()) == 1


def test_a_full_disk_loses_nothing(store: ReceiptStore, make_receipt: Make) -> None:
    """The limit on pages is SQLite's own way to run out of space."""
    first = store.add(make_receipt())
    ((pages,),) = store._state.read("PRAGMA page_count")
    store._state.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateFull, match="full"):
        store.add(make_receipt(error="x" * 100_000))
    store._state.read("PRAGMA max_page_count = 100000")
    after = store.add(make_receipt())
    assert store.list() == (after, first)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be opened"):
        ReceiptStore.open(tmp_path / "file" / "state.db")
    with pytest.raises(StateError, match="Is a directory"):
        ReceiptStore.open(tmp_path)


def test_what_can_be_written_is_found_out_without_writing(
    path: Path, store: ReceiptStore, make_receipt: Make
) -> None:
    kept = store.add(make_receipt())
    before = {file: file.read_bytes() for file in path.parent.iterdir() if file.suffix != ".db-shm"}
    for _ in range(3):
        store.check_writable()
    assert store.list() == (kept,)
    assert all(file.read_bytes() == content for file, content in before.items())
    assert store.add(make_receipt()) == store.get("last")


def test_a_check_takes_no_time(store: ReceiptStore) -> None:
    took_s = min(timeit.repeat(store.check_writable, number=1, repeat=200))
    assert took_s < 0.001


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    moved(path)
    path.touch()


def without_its_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE receipts")


@pytest.mark.parametrize("spoil", [moved, replaced, without_its_table])
def test_a_store_that_was_spoilt_meanwhile(
    path: Path, store: ReceiptStore, spoil: Callable[[Path], None]
) -> None:
    spoil(path)
    with pytest.raises(StateError, match=r"state\.db") as caught:
        store.check_writable()
    assert caught.value.hint


def test_a_store_that_cannot_be_written(
    path: Path, store: ReceiptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._state.read("PRAGMA query_only = ON")
    with pytest.raises(StateError, match=r"state\.db cannot be written$"):
        store.check_writable()
    store._state.read("PRAGMA query_only = OFF")
    monkeypatch.setattr("skerry.edge.state._LEAST_FREE_BYTES", 1 << 80)
    with pytest.raises(StateFull, match="disk is full"):
        store.check_writable()


def test_a_held_or_closed_store_cannot_be_written(path: Path, store: ReceiptStore) -> None:
    store._state.read("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateLocked):
            store.check_writable()
    store.check_writable()
    store.close()
    with pytest.raises(StateError, match="closed"):
        store.check_writable()


def test_closed_is_closed(path: Path, make_receipt: Make) -> None:
    store = ReceiptStore.open(path)
    store.close()
    store.close()
    with pytest.raises(StateError, match="closed"):
        store.add(make_receipt())


ADD_FOR_EVER = """
import sys
from pathlib import Path
from dataclasses import replace
from skerry.edge.receipts import ReceiptStore, from_json, new_id
receipt = from_json(sys.stdin.readline())
with ReceiptStore.open(Path(sys.argv[1])) as store:
    while True:
        print(store.add(replace(receipt, id=new_id())).id, flush=True)
"""


def test_killed_while_adding(path: Path, make_receipt: Make) -> None:
    """Whatever `add` returned is there after kill -9, and nothing is half there."""
    from skerry.edge.receipts import to_json

    with subprocess.Popen(
        [sys.executable, "-c", ADD_FOR_EVER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(to_json(make_receipt()) + "\n")
        process.stdin.flush()
        added = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        added += process.stdout.read().split()
    with ReceiptStore.open(path) as store:
        kept = {receipt.id for receipt in store.list(limit=10_000)}
    assert {*added} <= kept
    assert len(kept) - len(added) <= 1
