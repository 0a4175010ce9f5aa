"""The wheel built from the source distribution has every room and works without the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("edge", "cloud", "export", "sync", "guardrails", "device_profiles", "bundles")

pytestmark = [pytest.mark.package, pytest.mark.slow]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_every_file_of_every_room_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", *ROOMS], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    packed = set(zipfile.ZipFile(wheel).namelist())
    assert {f"skerry/{name}" for name in tracked} <= packed


def test_nothing_else_is_in_the_wheel(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"skerry"}


def test_every_room_imports_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "; ".join(f"import skerry.{room}" for room in ROOMS) + "; print(skerry.edge.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, 'site'); {code}"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert str(Path("site", "skerry", "edge")) in done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_refuses_another_name(room: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {room}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert f"import this package as skerry.{room}" in done.stderr
