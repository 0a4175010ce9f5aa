"""`skerry sync delta`, as a person and as a program calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sync.delta.ggufs import model


@pytest.fixture
def made(skerry, tmp_path: Path) -> Path:
    model(tmp_path / "v1", "q4_0")
    model(tmp_path / "v2", "q4_0", moved=3)
    at = [str(tmp_path / name) for name in ("v2", "v1", "delta")]
    done = skerry("sync", "delta", "make", at[0], "--from", at[1], "--out", at[2], "--json")
    assert done.code == 0, done.err
    assert done.json["size"] == (tmp_path / "delta").stat().st_size
    return tmp_path


def test_apply(skerry, made: Path) -> None:
    files = (f"{made}/delta", "--from", f"{made}/v1", "--out", f"{made}/out")
    call = ("sync", "delta", "apply", *files)
    done = skerry(*call, "--json")
    assert done.json["kept"] == 0
    assert (made / "out").read_bytes() == (made / "v2").read_bytes()
    again = skerry(*call)
    assert again.code == 2
    assert "is there" in again.err


def test_show_and_verify(skerry, made: Path) -> None:
    shown = skerry("sync", "delta", "show", f"{made}/delta")
    assert shown.code == 0, shown.err
    assert "weights" in shown.out
    assert skerry("sync", "delta", "show", f"{made}/delta", "--json").json["steps"]
    done = skerry("sync", "delta", "verify", f"{made}/delta", "--from", f"{made}/v1", "--json")
    assert done.json["ok"]
    wrong = skerry("sync", "delta", "verify", f"{made}/delta", "--from", f"{made}/v2")
    assert wrong.code == 5
    assert "old file 1 is not the one" in wrong.err


def test_plan(skerry, made: Path) -> None:
    call = ("sync", "delta", "plan", f"{made}/delta", "--target", f"{made}/v2")
    assert skerry(*call, "--have", f"{made}/v1", "--json").json["fetch"] == "delta"
    assert skerry(*call, "--json").json["fetch"] == "full"
    assert skerry(*call, "--have", f"{made}/v2", "--json").json["fetch"] == "nothing"
    assert "of the whole file" in skerry(*call, "--have", f"{made}/v1").out


def test_what_is_no_delta(skerry, made: Path) -> None:
    done = skerry("sync", "delta", "show", f"{made}/v1")
    assert (done.code, "not a delta" in done.err) == (5, True)
    assert skerry("sync", "delta", "show", f"{made}/none").code == 2
