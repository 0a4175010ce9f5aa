"""The benchmark `faults`: a seeded share of its runs, its attacks, and that it can fail at all."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import faults
from benchmarks.faults_attacks import ATTACKS, Attack, make_template, refused
from benchmarks.faults_cases import Count, World
from benchmarks.faults_disk import Fault


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("attacked") / "template")


@pytest.mark.parametrize("made", ATTACKS, ids=lambda made: made.__name__)
def test_an_attack_is_refused(made: Attack, template: Path, tmp_path: Path) -> None:
    assert refused(made, template, tmp_path / "place")


def test_a_device_comes_through(tmp_path: Path) -> None:
    count = faults.run_faults(tmp_path / "faults", seed=7, quick=True)
    assert count.runs > 60
    assert (count.failed, count.bricked, count.wrong_bytes) == ([], 0, 0)
    assert count.recovered_rate == 1.0


def test_a_device_that_does_not_sync_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power cut is a real one: without syncing, devices do not come through."""
    (tmp_path / "w").mkdir()
    world = World(tmp_path / "w")
    for module in ("objects", "slots", "pointer", "trust"):
        for name in ("sync_file", "sync_folder"):
            target = f"skerry.sync.client.{module}.{name}"
            monkeypatch.setattr(target, lambda _path: None, raising=False)
    count, rng = Count(), random.Random(0)
    (case,) = (one for one in world.cases if one.name == "update")
    steps = world.steps(case)
    for _ in range(60):
        at = rng.randint(steps // 2, steps)
        ended = world.run(case, Fault.POWER_CUT, at, rng.getrandbits(32))
        count.add(str(at), ended)
    assert count.bricked > 0
