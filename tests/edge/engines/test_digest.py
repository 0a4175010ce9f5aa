"""A file is hashed once, in the background, and again when it changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from skerry.edge.engines.digest import FileDigest
from skerry.edge.errors import ModelError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(b"weights" * 1000)
    return path


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_the_sha256(model: Path, tmp_path: Path) -> None:
    assert FileDigest(model, cache=tmp_path).result() == sha(model)


def test_it_is_remembered(model: Path, tmp_path: Path) -> None:
    first = FileDigest(model, cache=tmp_path).result()
    cache = tmp_path / "digests.json"
    cache.write_text(cache.read_text().replace(first, "remembered"))
    assert FileDigest(model, cache=tmp_path).result() == "remembered"  # nothing was read
    os.utime(model)
    assert FileDigest(model, cache=tmp_path).result() == first


def test_another_content_is_seen_where_the_time_was_set_back(model: Path, tmp_path: Path) -> None:
    first = FileDigest(model, cache=tmp_path).result()
    stat = model.stat()
    model.write_bytes(b"WEIGHTS" * 1000)
    os.utime(model, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert FileDigest(model, cache=tmp_path).result() != first


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"x": 3}', "null"])
def test_a_damaged_cache_is_an_empty_one(model: Path, tmp_path: Path, damage: str) -> None:
    (tmp_path / "digests.json").write_text(damage)
    assert FileDigest(model, cache=tmp_path).result() == sha(model)


def test_a_cache_that_cannot_be_written_costs_nothing(model: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert FileDigest(model, cache=blocked / "cache").result() == sha(model)


def test_a_user_without_a_home_folder_has_no_cache(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skerry.edge.folders.user_cache_path", lambda _: Path("~/.cache/skerry"))
    assert FileDigest(model).result() == sha(model)
    assert not Path("~").exists()


def test_stop_ends_the_thread(model: Path, tmp_path: Path) -> None:
    with model.open("wb") as file:
        file.truncate(1 << 30)
    digest = FileDigest(model, cache=tmp_path)
    digest.stop()
    assert digest.result() == ""
    assert not (tmp_path / "digests.json").exists()


def test_a_file_that_vanished(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        FileDigest(tmp_path / "gone", cache=tmp_path).result()
