"""Damaged and hostile deltas, other old files, full disks and stops: an error, and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sync.delta.ggufs import model

from skerry.sync.delta import (
    DeltaError,
    DeltaInvalid,
    DeltaNotFound,
    NoRoom,
    OutputExists,
    SourceMismatch,
    apply_chain,
    apply_delta,
    make_delta,
    open_delta,
    verify_delta,
)
from skerry.sync.delta.container import DIGEST, Kind, Step, Version, write_head

MIXED = "q4_K"


class Case:
    """Two models and the delta between them, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old = model(folder / "old", MIXED, blocks_each=60, words=60)
        self.new = model(folder / "new", MIXED, blocks_each=60, words=80, moved=5)
        self.delta, self.out = folder / "delta", folder / "out"
        make_delta([self.old], self.new, self.delta)

    @property
    def part(self) -> Path:
        return self.out.with_name("out.part")

    def refused(self, damaged: bytes) -> bool:
        """Whether a damaged delta is an error; otherwise it made the right file."""
        self.delta.with_name("damaged").write_bytes(damaged)
        self.out.unlink(missing_ok=True)
        self.part.unlink(missing_ok=True)
        try:
            apply_delta(self.delta.with_name("damaged"), [self.old], self.out)
        except DeltaError:
            assert not self.out.exists()
            return True
        assert self.out.read_bytes() == self.new.read_bytes()
        return False


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"))


@pytest.fixture(autouse=True)
def clean(case: Case) -> None:
    for path in (case.out, case.part):
        path.unlink(missing_ok=True)


def test_cut_off_anywhere(case: Case) -> None:
    whole = case.delta.read_bytes()
    for length in [*range(0, 300, 3), *range(300, len(whole), 4999)]:
        assert case.refused(whole[:length])
    assert case.refused(whole + b"x")


def test_a_bit_of_every_byte_of_the_head_and_some_of_the_body(case: Case) -> None:
    whole = case.delta.read_bytes()
    body = open_delta(case.delta).body
    drawn = np.random.default_rng(3)
    head = [8 * byte + int(drawn.integers(8)) for byte in range(body)]
    for bit in [*head, *drawn.integers(8 * body, 8 * len(whole), 40).tolist()]:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        case.refused(bytes(damaged))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_edit_is_an_error_or_makes_the_right_file(case: Case, data: st.DataObject) -> None:
    whole = case.delta.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40))
    put = data.draw(st.binary(max_size=40))
    case.refused(whole[:start] + put + whole[start + length :])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=400))
def test_any_payload_of_a_window_is_an_error(case: Case, junk: bytes) -> None:
    version = open_delta(case.delta)
    step = Step(Kind.WEIGHTS, version.target.size, len(junk), bytes(DIGEST))
    assert case.refused(write_head(version.sources, version.target, [step]) + junk)


@pytest.mark.parametrize(
    "step",
    [
        Step(Kind.COPY, 1 << 40, 0, bytes(DIGEST)),
        Step(Kind.COPY, 100, 0, bytes(DIGEST), source=3),
        Step(Kind.COPY, 100, 0, bytes(DIGEST), offset=1 << 40),
        Step(Kind.PATCH, 100, 4, bytes(DIGEST), old_length=1 << 24),
        Step(Kind.PLAIN, 1 << 25, 4, bytes(DIGEST)),
        Step(Kind.STORED, 100, 4, bytes(DIGEST)),
        Step(Kind.WEIGHTS, 1 << 30, 4, bytes(DIGEST)),
    ],
    ids=lambda step: f"{step.kind.name}-{step.length}",
)
def test_what_cannot_be_is_refused_before_anything_is_read(case: Case, step: Step) -> None:
    sources = open_delta(case.delta).sources
    case.refused(write_head(sources, Version(step.length, bytes(32)), [step]) + b"abcd")
    assert not case.part.exists() or not case.part.stat().st_size


def test_a_bomb_is_refused(case: Case) -> None:
    import zstandard

    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 26))
    sources = open_delta(case.delta).sources
    step = Step(Kind.PLAIN, 1000, len(bomb), bytes(DIGEST))
    assert case.refused(write_head(sources, Version(1000, bytes(32)), [step]) + bomb)


def test_another_old_file_is_named(case: Case, tmp_path: Path) -> None:
    other = tmp_path / "other"
    data = bytearray(case.old.read_bytes())
    data[len(data) // 2] ^= 1
    other.write_bytes(data)
    with pytest.raises(SourceMismatch, match="old file 1 is not the one"):
        apply_delta(case.delta, [other], case.out)
    with pytest.raises(SourceMismatch, match="old file 1"):
        apply_delta(case.delta, [case.new], case.out)
    with pytest.raises(SourceMismatch, match="made from 1 files, and 0"):
        apply_delta(case.delta, [], case.out)
    assert not case.out.exists()


def test_files_that_are_not_there(case: Case, tmp_path: Path) -> None:
    with pytest.raises(DeltaNotFound):
        apply_delta(tmp_path / "no", [case.old], case.out)
    with pytest.raises(DeltaNotFound):
        apply_delta(case.delta, [tmp_path / "no"], case.out)
    with pytest.raises(DeltaNotFound):
        make_delta([case.old], tmp_path / "no", tmp_path / "delta")
    with pytest.raises(DeltaInvalid, match="not a delta"):
        open_delta(case.old)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(case: Case) -> None:
    case.out.write_text("mine")
    with pytest.raises(OutputExists):
        apply_delta(case.delta, [case.old], case.out)
    with pytest.raises(OutputExists):
        make_delta([case.old], case.new, case.out)
    assert case.out.read_text() == "mine"


class Stop(Exception):
    """Raised half-way."""


def test_stopped_at_every_step_and_gone_on_with(case: Case) -> None:
    steps = len(open_delta(case.delta).steps)
    for stop in range(1, steps):
        left = [stop]

        def told(_bytes: int, left: list[int] = left) -> None:
            left[0] -= 1
            if not left[0]:
                raise Stop

        with pytest.raises(Stop):
            apply_delta(case.delta, [case.old], case.out, told=told)
        assert not case.out.exists()
    done = apply_delta(case.delta, [case.old], case.out)
    assert done.kept > 0
    assert case.out.read_bytes() == case.new.read_bytes()


def test_what_was_left_is_not_trusted(case: Case) -> None:
    data = bytearray(case.new.read_bytes())
    data[-200] ^= 1
    case.part.write_bytes(bytes(data) + b"and more than there should be")
    done = apply_delta(case.delta, [case.old], case.out)
    assert 0 < done.kept < done.size
    assert case.out.read_bytes() == case.new.read_bytes()


def test_a_partial_download_is_used(case: Case, tmp_path: Path) -> None:
    partial = tmp_path / "partial"
    partial.write_bytes(case.new.read_bytes()[:-1000])
    done = apply_delta(case.delta, [case.old], case.out, partial=partial)
    assert 0 < done.kept < done.size
    assert case.out.read_bytes() == case.new.read_bytes()


def test_nothing_is_kept_of_a_check(case: Case) -> None:
    before = sorted(case.folder.iterdir())
    assert verify_delta(case.delta, [case.old]).target.size == case.new.stat().st_size
    assert sorted(case.folder.iterdir()) == before


def test_a_chain(case: Case, tmp_path: Path) -> None:
    third = model(tmp_path / "3", MIXED, blocks_each=60, words=80, moved=8)
    make_delta([case.new], third, tmp_path / "2-3")
    apply_chain([case.delta, tmp_path / "2-3"], [case.old], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == third.read_bytes()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["2-3", "3", "out"]
    with pytest.raises(SourceMismatch, match="needs the file with sha256"):
        apply_chain([tmp_path / "2-3", case.delta], [case.old], tmp_path / "out2")


APPLY = """
import resource, sys
from pathlib import Path
from skerry.sync.delta import DeltaError, apply_delta
delta, old, out, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    apply_delta(Path(delta), [Path(old)], Path(out))
except DeltaError as error:
    sys.exit(error.code)
"""


def command(case: Case, limit: int) -> list[str]:
    return [sys.executable, "-c", APPLY, *map(str, (case.delta, case.old, case.out)), str(limit)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
def test_a_full_disk_keeps_what_was_made(case: Case) -> None:
    limit = case.new.stat().st_size // 2
    ended = subprocess.run(command(case, limit), capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == NoRoom.code
    assert not case.out.exists()
    apply_delta(case.delta, [case.old], case.out)
    assert case.out.read_bytes() == case.new.read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
def test_killed_at_any_time(case: Case) -> None:
    drawn = np.random.default_rng(1)
    for wait in drawn.uniform(0.1, 0.6, 12):
        with subprocess.Popen(command(case, 0)) as child:
            time.sleep(wait)
            os.kill(child.pid, signal.SIGKILL) if child.poll() is None else None
        if case.out.exists():
            assert case.out.read_bytes() == case.new.read_bytes()
            case.out.unlink()
    apply_delta(case.delta, [case.old], case.out)
    assert case.out.read_bytes() == case.new.read_bytes()
