"""What an update survives: a process that is stopped at any step, a power cut, a full disk, flipped
bits, a link that is cut; and what attackers get.

A power cut loses what was not synced: see `faults_disk`. Every step of every case is tried with
every fault; `--quick` tries a share of them. There is no peer: what is compared are promises.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import faults_attacks
from benchmarks.contract import Figure, Options
from benchmarks.faults_cases import Count, World
from benchmarks.faults_disk import Fault

KEYS = ("runs", "bricked", "wrong_bytes", "recovered_rate", "attacks_refused_rate")

_MEMORY = Path("/dev/shm")
_QUICK_STRIDE = 41
_DAMAGED, _CUT = 600, 120


def run(options: Options) -> dict[str, Figure]:
    with _folder() as folder:
        count = run_faults(folder / "faults", options.seed, quick=options.quick)
        attacks = faults_attacks.run_all(folder / "attacks")
    return figures(count, attacks)


def run_faults(folder: Path, seed: int, *, quick: bool) -> Count:
    """Every fault at every step, or at some where it is to be `quick`."""
    rng, count = random.Random(seed), Count()
    folder.mkdir()
    world = World(folder)
    stride = _QUICK_STRIDE if quick else 1
    for case in world.cases:
        steps = world.steps(case)
        for fault in Fault:
            for at in range(1 + rng.randrange(min(stride, steps)), steps + 1, stride):
                ended = world.run(case, fault, at, rng.getrandbits(32))
                count.add(f"{case.name}, {fault} at {at}", ended)
    for _ in range(_DAMAGED // stride):
        draw = rng.getrandbits(32)
        count.add(f"damage {draw}", world.run_damage(draw))
    for _ in range(_CUT // stride):
        draw = rng.getrandbits(32)
        count.add(f"cuts {draw}", world.run_cuts(draw))
    return count


def figures(count: Count, attacks: dict[str, bool]) -> dict[str, Figure]:
    """What is reported."""
    came_through = [name for name, was in attacks.items() if not was]
    rate = 1 - len(came_through) / len(attacks)
    note = "; ".join(count.failed[:5])
    return {
        "runs": Figure(count.runs, "runs", "higher", 2000),
        "bricked": Figure(count.bricked, "devices", "lower", 0, note=note),
        "wrong_bytes": Figure(count.wrong_bytes, "devices", "lower", 0),
        "recovered_rate": Figure(count.recovered_rate, "of the runs", "higher", 1.0),
        "attacks_refused_rate": Figure(
            rate, f"of {len(attacks)}", "higher", 1.0, note=", ".join(came_through)
        ),
    }


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, where there is one: syncing is counted here, not waited for."""
    place = tempfile.mkdtemp(prefix="skerry-faults-", dir=_MEMORY if _MEMORY.is_dir() else None)
    try:
        yield Path(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
