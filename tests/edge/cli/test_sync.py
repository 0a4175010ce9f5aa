"""`skerry sync`, as an operator and the owner of a device call it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bundles.making import make
from tests.sync.fleet import content

PASSPHRASE = "a long passphrase"


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return {
        "SKERRY_SYNC_REPO": str(tmp_path / "repo"),
        "SKERRY_SYNC_DEVICE": str(tmp_path / "device"),
        "SKERRY_SYNC_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
    }


@pytest.fixture
def sync(skerry, places: dict[str, str]):
    """Runs `skerry sync …` in those places, with `--json`, and gives what it printed."""

    def run(*arguments: str, code: int = 0):
        done = skerry("sync", *arguments, "--json", env=places)
        assert done.code == code, done.out + done.err
        return done.json

    return run


@pytest.fixture
def operator(sync, tmp_path: Path):
    """An operator with a repository, who publishes versions."""
    sync("init", str(tmp_path / "repo"), "--channel", "stable", "--expiry", "timestamp=30")

    def publish(version: str):
        folder = make(tmp_path / f"s{version}", tmp_path / f"b{version}", content(version)).folder
        return sync("publish", str(folder), "--channel", "stable", "--version", version, "--yes")

    return publish


def enroll(sync, tmp_path: Path, *more: str):
    root = tmp_path / "repo/metadata/1.root.json"
    source = str(tmp_path / "repo/public")
    return sync("enroll", source, "--root", str(root), "--bundle", "tiny", "--profile",
                "workstation", "--probation-hours", "0", *more)  # fmt: skip


def test_from_the_first_key_to_a_rollback(sync, operator, tmp_path: Path) -> None:
    assert operator("1")["waits_for"] == []
    assert enroll(sync, tmp_path)["latest"] == "1"
    assert sync("check")["offer"]["version"] == "1"
    assert sync("apply", "--health", "files")["result"] == "confirmed"
    assert operator("2")["bytes_new"] < 5000
    assert sync("apply", "--health", "files")["version"] == "2"
    assert sync("rollback")["version"] == "1"
    shown = sync("status", "--verify")
    assert (shown["running"]["version"], shown["previous"]["version"]) == ("1", "2")
    assert sync("apply", "--health", "files")["result"] == "refused"
    assert [one["latest"] for one in sync("versions")["versions"]] == [False, True]
    sync("recall", "tiny", "1", "--channel", "stable", "--yes")
    assert sync("check")["offer"] is None
    assert set(sync("refresh")["good_until"]) == {"snapshot", "timestamp"}


def test_a_model_that_cannot_run_is_not_taken(sync, operator, tmp_path: Path) -> None:
    operator("1")
    enroll(sync, tmp_path)
    error = sync("apply", code=4)["error"]
    assert error["code"] == "unhealthy"
    assert "cannot be run" in error["what"]
    assert sync("status")["running"] is None


def test_a_stick(sync, operator, tmp_path: Path) -> None:
    operator("1")
    enroll(sync, tmp_path)
    shutil.copytree(tmp_path / "repo/public", tmp_path / "stick")
    shutil.rmtree(tmp_path / "repo/public")
    assert sync("import", str(tmp_path / "stick"), "--health", "files")["version"] == "1"
    assert sync("import", str(tmp_path), code=4)["error"]["code"] == "not_there"


def test_keys_that_are_kept_elsewhere(sync, operator, tmp_path: Path) -> None:
    operator("1")
    keys = sync("keys", "list")["keys"]
    assert [one["role"] for one in keys] == ["root", "targets", "snapshot", "timestamp", "stable"]
    away = tmp_path / "away.pem"
    (tmp_path / "repo/keys/root-1.pem").rename(away)
    done = sync("keys", "rotate", "timestamp", keys[3]["key"][:8], "--yes")
    assert done["waits_for"] == ["root"]
    sync("sign", "--export", str(tmp_path / "stick"))
    draft = str(tmp_path / "stick/root.json")
    sync("sign", "--draft", draft, "--key", str(away), "--yes")
    brought = sync("sign", "--bring", draft, "--yes")
    assert (brought["brought"], brought["waits_for"]) == (1, [])
    enroll(sync, tmp_path)
    assert sync("apply", "--health", "files")["version"] == "1"


def test_a_role_for_a_device_class(sync, operator) -> None:
    sync("role", "beta", "--yes")
    sync("role", "stable.phone", "--bundles", "phone-*", "--yes")
    roles = [one["role"] for one in sync("keys", "list")["keys"]]
    assert roles[4:] == ["stable.phone", "stable", "beta"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("apply",), 2, "no device is enrolled"),
        (("status",), 2, "no device is enrolled"),
        (("versions", "--repo", "/nowhere"), 2, "no repository"),
        (("init", "r", "--expiry", "nope=3"), 2, "no expiry"),
        (("init", "r", "--keys", "root"), 2, "such as root=2"),
        (("publish", "/nowhere", "--channel", "stable"), 4, "no bundle"),
        (("enroll", "/x", "--root", "/nowhere", "--bundle", "b"), 2, "cannot be read"),
        (("enroll", "/x", "--root", "/etc/hostname", "--bundle", "b"), 4, "trusted"),
        (("enroll", "/x", "--root", "x", "--bundle", "b", "--hours", "9"), 2, "no hours"),
        (("sign",), 2, "no repository"),
    ],
)
def test_what_goes_wrong(skerry, places, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = skerry("sync", *arguments, env=places)
    assert done.code == code, done.out + done.err
    assert words in done.err
    assert "Traceback" not in done.err


def test_nothing_is_signed_unread(skerry, operator, places, tmp_path: Path) -> None:
    folder = make(tmp_path / "s9", tmp_path / "b9", content("9")).folder
    done = skerry("sync", "publish", str(folder), "--channel", "stable", env=places)
    assert done.code == 2
    assert "+ stable/tiny/1/bundle.json" in done.err
    assert "nobody to ask" in done.err
