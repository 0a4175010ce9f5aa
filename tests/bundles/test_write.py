"""A bundle is whole or not there, and the same inputs make the same bytes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from skerry.bundles import (
    Bundle,
    BundleBusy,
    BundleDamaged,
    BundleExists,
    ManifestInvalid,
    WriteFailed,
    open_bundle,
    verify_bundle,
    write,
    write_bundle,
)
from tests.bundles.making import CONTENT, files_below, make, manifest_of


def _tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in files
    }


def test_same_inputs_make_the_same_bytes(tmp_path: Path) -> None:
    first = make(tmp_path / "a", tmp_path / "one")
    previous = os.umask(0o077)
    try:
        second = make(tmp_path / "b", tmp_path / "two")
    finally:
        os.umask(previous)
    assert _tree(first.folder) == _tree(second.folder)
    assert first.digest == second.digest


def test_progress_tells_every_byte(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)
    told: list[int] = []
    bundle = write_bundle(manifest_of(files), sources, tmp_path / "b", told=told.append)
    assert sum(told) == bundle.manifest.size


def test_an_empty_folder_may_become_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert verify_bundle(make(tmp_path / "s", tmp_path / "out").folder).ok


@pytest.mark.parametrize("kind", ["bundle", "folder", "file", "link"])
def test_what_is_there_is_kept(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "bundle":
        make(tmp_path / "s", out)
    elif kind == "folder":
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    elif kind == "file":
        out.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / "elsewhere")
    before = _tree(tmp_path)
    with pytest.raises(BundleExists) as caught:
        make(tmp_path / "s", out)
    assert caught.value.hint
    assert _tree(tmp_path) | before == _tree(tmp_path)


def test_a_bundle_makes_room_when_asked(tmp_path: Path) -> None:
    make(tmp_path / "s", tmp_path / "out")
    changed = {**CONTENT, "parts/policy/policy.toml": (CONTENT["parts/policy/policy.toml"][0], b"")}
    files, sources = files_below(tmp_path / "s", changed)
    manifest = manifest_of(files)
    new = write_bundle(manifest, sources, tmp_path / "out", replace=True)
    assert open_bundle(tmp_path / "out").manifest == manifest == new.manifest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s"]


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    files, sources = files_below(tmp_path / "s", CONTENT)
    with pytest.raises(BundleExists):
        write_bundle(manifest_of(files), sources, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_a_source_that_changed_leaves_nothing(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)
    sources["variants/onnx-int4/model.onnx"].write_bytes(b"evil")
    with pytest.raises(BundleDamaged, match="changed"):
        write_bundle(manifest_of(files), sources, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]


def test_a_source_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)
    real = sources["variants/onnx-int4/model.onnx"]
    real.rename(tmp_path / "elsewhere")
    real.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteFailed):
        write_bundle(manifest_of(files), sources, tmp_path / "out")


def test_a_manifest_that_cannot_be_used_writes_nothing(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)
    wrong = msgspec.structs.replace(manifest_of(files), files=tuple(reversed(files)))
    with pytest.raises(ManifestInvalid):
        write_bundle(wrong, sources, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_seen_before(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)
    huge = msgspec.structs.replace(files[0], size=1 << 49)
    with pytest.raises(WriteFailed, match="free"):
        write_bundle(manifest_of((huge, *files[1:])), sources, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = write._write_all, [2]

    def full(handle: int, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle, data)

    monkeypatch.setattr(write, "_write_all", full)
    with pytest.raises(WriteFailed, match="no room"):
        make(tmp_path / "s", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s"]


_KILLED = """
import os, signal, sys
from pathlib import Path
from skerry.bundles import write
from tests.bundles.making import make
folder = Path(sys.argv[1])
step = sys.argv[2]
real = getattr(write, step)
def die(*args):
    if step != "_put_file" or "onnx" in str(args[0]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args)
setattr(write, step, die)
make(folder / "s", folder / "out")
"""


@pytest.mark.parametrize("step", ["_put_file", "move"])
def test_killed_half_way_there_is_no_bundle_and_the_next_run_makes_it(
    step: str, tmp_path: Path
) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, tmp_path, step], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.partial").is_dir()
    assert verify_bundle(make(tmp_path / "s", tmp_path / "out").folder).ok
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s"]


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    files, sources = files_below(tmp_path / "s", CONTENT)

    def meanwhile(_bytes: int) -> None:
        with pytest.raises(BundleBusy):
            write_bundle(manifest_of(files), sources, tmp_path / "out")

    bundle = write_bundle(manifest_of(files), sources, tmp_path / "out", told=meanwhile)
    assert verify_bundle(bundle.folder).ok


def test_without_a_parent_folder(tmp_path: Path) -> None:
    with pytest.raises(WriteFailed, match="no folder"):
        make(tmp_path / "s", tmp_path / "no" / "out")


def test_the_fixture_is_whole(bundle: Bundle) -> None:
    assert verify_bundle(bundle.folder).ok
