"""The API key file: made once, private, and refused when it is neither."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.edge.errors import ConfigError
from skerry.edge.server.keys import load_or_make_key, same_key


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    key = load_or_make_key(path)
    assert len(key) > 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_make_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def test_two_that_start_together_share_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_make_key(tmp_path / "key"), range(16)))
    assert len(keys) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"two words, which no header can carry", b"\xff" * 40, b"x" * 1000],
    ids=["empty", "short", "spaces", "not ASCII", "long"],
)
def test_a_file_that_holds_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load_or_make_key(path)
    assert str(path) in caught.value.what
    assert path.read_bytes() == content


def test_a_file_that_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    load_or_make_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others") as caught:
        load_or_make_key(path)
    assert "chmod 600" in caught.value.hint


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be used"):
        load_or_make_key(tmp_path / "file" / "key")


@pytest.mark.parametrize("given", ["", "sk", "sk-skerry-", "ключ", "\ud800", "x" * 10_000])
def test_only_the_key_is_the_key(given: str) -> None:
    assert not same_key(given, "sk-skerry-abc")
    assert same_key("sk-skerry-abc", "sk-skerry-abc")
