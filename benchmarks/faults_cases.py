"""What is done to a device while its disk fails, and whether it came through.

A case begins with a copy of a device in a known state, does one piece of work in a forked process
that may be stopped at any step, and then asks three things. Does what `current` names have exactly
the bytes of a published version (else: wrong bytes)? Is there such a version at all, where there
was one (else: bricked)? Do ordinary calls, and nothing else, bring the device to the newest version
(else: not recovered)?
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults_disk import Disk, Fault
from skerry.bundles import verify_bundle
from skerry.sync.client import FolderSource, Health, Means, Phase, Source, open_client, pointer
from skerry.sync.client.device import Device
from skerry.sync.errors import SourceFault, SyncError
from tests.sync.fleet import NOW, Fleet

Work = Callable[[Path], None]

_PROBATION_S = 100.0
_LOOKS = 5
_MOST_CUTS = 200


@dataclass
class Count:
    """What came of many runs. `failed` names the first few that did not come through."""

    runs: int = 0
    bricked: int = 0
    wrong_bytes: int = 0
    recovered: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, name: str, ended: Ended) -> None:
        self.runs += 1
        self.bricked += ended.bricked
        self.wrong_bytes += ended.wrong_bytes
        self.recovered += ended.recovered
        if (ended.bricked or ended.wrong_bytes or not ended.recovered) and len(self.failed) < 20:
            self.failed.append(f"{name}: {ended}")

    @property
    def recovered_rate(self) -> float:
        return self.recovered / self.runs if self.runs else 0.0


@dataclass(frozen=True)
class Ended:
    """How a device came out of a fault."""

    bricked: bool
    wrong_bytes: bool
    recovered: bool
    why: str = ""


@dataclass(frozen=True)
class Case:
    """A device in a state, and the work that is done when the fault comes."""

    name: str
    device: str
    work: Work
    had_one: bool = True


class World:
    """A repository with the versions 1 and 2, and devices in several states to copy from."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fleet = Fleet(folder / "fleet")
        self.digests = {self.fleet.publish("1", size=20_000).digest}
        for name in ("empty", "idle", "watched", "crashed"):
            self.fleet.enrol(name, probation_s=_PROBATION_S)
        for name in ("idle", "watched", "crashed"):
            with self.fleet.client(name, clock=lambda: NOW) as client:
                client.apply()
                client.confirm()
        self.newest = self.fleet.publish("2", size=30_000).digest
        self.digests.add(self.newest)
        for name in ("watched", "crashed"):
            with self.fleet.client(name, clock=lambda: NOW) as client:
                client.apply()
        self._crash("crashed")
        self.cases = (
            Case("first", "empty", _apply, had_one=False),
            Case("update", "idle", _apply),
            Case("confirm", "watched", _settle),
            Case("sick at the end", "watched", _settle_sick),
            Case("crashes", "crashed", _settle),
            Case("by hand", "watched", _rollback),
            Case("refuse", "idle", _apply_sick),
        )

    def _crash(self, name: str) -> None:
        """Three runtimes that ended without closing."""
        with self.fleet.client(name) as client:
            digest = client.state.digest()
        for number in range(3):
            uses = self.fleet.folder / name / "uses"
            uses.mkdir(exist_ok=True)
            (uses / f"{digest[:16]}-{number}").touch()

    def copy(self, name: str, number: int) -> Path:
        """A device of its own in the state of `name`; hard links stay."""
        place = self.folder / "runs" / str(number)
        shutil.rmtree(place, ignore_errors=True)
        _copy_tree(self.fleet.folder / name, place / "device")
        (place / "shadow").mkdir()
        return place / "device"

    def steps(self, case: Case) -> int:
        """How many steps the work of a case takes on a sound disk."""
        device = self.copy(case.device, 0)
        read, write = os.pipe()
        if (child := os.fork()) == 0:
            disk = _disk(device, Fault.KILL_BEFORE, -1, random.Random(0))
            disk.install()
            with suppress(SyncError):
                case.work(device)
            os.write(write, str(disk.steps).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        with os.fdopen(read) as told:
            return int(told.read())

    def run(self, case: Case, fault: Fault, at: int, seed: int, number: int = 1) -> Ended:
        """One device, one fault."""
        device = self.copy(case.device, number)
        if (child := os.fork()) == 0:
            _silence()
            _disk(device, fault, at, random.Random(seed)).install()
            try:
                case.work(device)
            except SyncError:
                os._exit(3)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) not in (0, 3):
            return Ended(False, False, False, f"it ended with {status}")
        return self.judge(device, had_one=case.had_one)

    def judge(self, device: Path, *, had_one: bool = True, verify: bool = False) -> Ended:
        """What a device is worth now, and after ordinary calls."""
        served = served_by(device)
        wrong = served is not None and served not in self.digests
        bricked = had_one and served is None and not verify
        try:
            why = self._recover(device, verify=verify)
        except Exception as error:  # noqa: BLE001  whatever it is, the device did not recover
            why = f"{type(error).__name__}: {error}"
        after = served_by(device)
        wrong |= after is not None and after not in self.digests
        bricked |= after is None
        return Ended(bricked, wrong, not why, why)

    def run_damage(self, seed: int, number: int = 1) -> Ended:
        """One device whose disk changed by itself."""
        rng = random.Random(seed)
        device = self.copy(rng.choice(("idle", "watched")), number)
        damage(device, rng)
        return self.judge(device, verify=True)

    def run_cuts(self, seed: int, number: int = 1) -> Ended:
        """One device whose link is cut again and again, after some bytes each time."""
        rng = random.Random(seed)
        device = self.copy(rng.choice(("empty", "idle")), number)
        looks = 0
        while not self._looked(device, Cut(FolderSource(self.fleet.public), rng.randrange(20_000))):
            looks += 1
            if looks > _MOST_CUTS:
                return Ended(False, False, False, "it does not get on with a link that is cut")
            served = served_by(device)
            if served is not None and served not in self.digests:
                return Ended(False, True, False)
        return self.judge(device)

    def _looked(self, device: Path, source: Source) -> bool:
        with suppress(SyncError), open_client(device, Means(source=source)) as client:
            client.apply()
            return True
        return False

    def _recover(self, device: Path, *, verify: bool) -> str:
        """What a device does by itself: it looks for updates some times. Says what is missing."""
        for number in range(_LOOKS):
            now = NOW + 10 * _PROBATION_S * (number + 1)
            later = Means(clock=lambda: now)  # noqa: B023  it is asked before the next round
            with suppress(SyncError), open_client(device, later, verify=verify) as client:
                client.apply(again=number == _LOOKS - 2)  # a person's word, where one was refused
                if client.journal.phase is Phase.IDLE and client.state.digest() == self.newest:
                    return ""
        return "it does not come to the newest version"


@dataclass
class Cut:
    """A source that is cut off after `left` bytes."""

    source: Source
    left: int

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        for block in self.source.read(name, start):
            yield block[: self.left]
            self.left -= len(block)
            if self.left <= 0:
                raise SourceFault("the link was cut")


def damage(device: Path, rng: random.Random) -> None:
    """Changes one file of a device as failing hardware, or a clumsy hand, does."""
    files = sorted(path for path in device.rglob("*") if path.is_file() and path.name != ".lock")
    path = rng.choice(files)
    if not path.is_symlink():
        path.chmod(0o644)
    data = bytearray(path.read_bytes())
    kind = rng.choice(("flip", "truncate", "zeros", "lost", "swapped", "longer"))
    if kind == "lost" or not data:
        path.unlink()
    elif kind == "swapped":
        other = rng.choice(files)
        other.chmod(0o644)
        second = other.read_bytes()
        other.write_bytes(bytes(data))
        path.write_bytes(second)
    else:
        at = rng.randrange(len(data))
        if kind == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif kind == "zeros":
            data[at:] = bytes(len(data) - at)
        path.write_bytes(
            bytes(data[:at] if kind == "truncate" else data) + b"x" * (kind == "longer")
        )


def served_by(device: Path) -> str | None:
    """The digest of the bundle that a runtime would be given, when all its bytes are right."""
    slot = pointer.read(Device(device).current)
    if slot is None:
        return None
    try:
        found = verify_bundle(device / "slots" / slot)
    except Exception:  # noqa: BLE001  whatever it is, a runtime refuses it
        return None
    return found.digest if found.ok else None


def _disk(device: Path, fault: Fault, at: int, rng: random.Random) -> Disk:
    return Disk(device, device.parent / "shadow", fault, at, rng)


def _silence() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stderr.fileno())


def _copy_tree(source: Path, target: Path) -> None:
    """Copies a folder; files that were one inode are one again."""
    seen: dict[int, Path] = {}

    def copy(old: str, new: str) -> str:
        inode = Path(old).stat().st_ino
        if inode in seen:
            os.link(seen[inode], new)
        else:
            shutil.copy2(old, new)
            seen[inode] = Path(new)
        return new

    shutil.copytree(source, target, symlinks=True, copy_function=copy)


def _apply(device: Path) -> None:
    with open_client(device, Means(clock=lambda: NOW)) as client:
        client.apply()


def _settle(device: Path) -> None:
    with open_client(device, Means(clock=lambda: NOW + 2 * _PROBATION_S)) as client:
        client.settle()


def _sick(_bundle: Path) -> Health:
    return Health(False, 0.0, "it says nothing")


def _settle_sick(device: Path) -> None:
    means = Means(clock=lambda: NOW + 2 * _PROBATION_S, health=_sick)
    with open_client(device, means) as client:
        client.settle()


def _apply_sick(device: Path) -> None:
    with open_client(device, Means(clock=lambda: NOW, health=_sick)) as client:
        client.apply()


def _rollback(device: Path) -> None:
    with open_client(device, Means(clock=lambda: NOW)) as client:
        client.rollback()
