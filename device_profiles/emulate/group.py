"""Control groups of Linux for a caged command, where somebody lets us have them.

Formats: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1. A group is made only
below one that is ours to divide: the root of a hierarchy as this process sees it (a machine or a
container of its own), or one that its manager marked as delegated (systemd, "Control Group APIs
and Delegation"). Groups of another manager are left alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from skerry.device_profiles.cgroup import parse_membership

PERIOD_US = 100_000
_DELEGATED = ("user.delegate", "trusted.delegate")


@dataclass(frozen=True, slots=True)
class Place:
    """A group that may be divided. `version` is 1 or 2, `controller` "cpu" or "memory"."""

    folder: Path
    version: int
    controller: str


def find_place(controller: str, root: Path = Path("/")) -> Place | None:
    """Where groups of `controller` may be made; None: nowhere. `root` holds `proc` and `sys`."""
    try:
        membership = parse_membership((root / "proc/self/cgroup").read_text())
    except (OSError, UnicodeDecodeError):
        return None
    for place in _places(controller, membership, root):
        if _is_ours(place, membership):
            return place
    return None


def cpu_settings(place: Place, cpus: float) -> dict[str, str]:
    """Files and their content that give a group `cpus` processors' worth of time."""
    quota = max(1000, round(cpus * PERIOD_US))
    if place.version == 2:
        return {"cpu.max": f"{quota} {PERIOD_US}"}
    return {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}


def memory_settings(place: Place, limit_bytes: int) -> dict[str, str]:
    """Files and their content that give a group at most `limit_bytes`."""
    if place.version == 2:
        return {"memory.max": str(limit_bytes), "memory.swap.max": "0"}
    return {"memory.limit_in_bytes": str(limit_bytes)}


@contextmanager
def group(place: Place, settings: Mapping[str, str]) -> Iterator[Path]:
    """A new group with these settings, which is removed at the end.

    Raises:
        OSError: the kernel does not allow it.
    """
    if place.version == 2:
        _enable(place)
    folder = place.folder / f"skerry-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        for name, value in settings.items():
            if name == "memory.swap.max" and not (folder / name).exists():
                continue  # a kernel without swap accounting
            (folder / name).write_text(value)
        yield folder
    finally:
        _remove(folder)


def killed_for_memory(folder: Path, version: int) -> bool:
    """Whether the kernel ended a process of the group because of its limit."""
    name = "memory.events" if version == 2 else "memory.oom_control"
    with suppress(OSError):
        for line in (folder / name).read_text().splitlines():
            key, _, count = line.partition(" ")
            if key == "oom_kill":
                return int(count) > 0
    return False


def _places(controller: str, membership: Mapping[str, str], root: Path) -> Iterator[Place]:
    base = root / "sys/fs/cgroup"
    if controller in membership:
        yield Place(base / controller / membership[controller].lstrip("/"), 1, controller)
    elif "" in membership:
        for mount in (base, base / "unified"):
            if (mount / "cgroup.controllers").exists():
                yield Place(mount / membership[""].lstrip("/"), 2, controller)


def _is_ours(place: Place, membership: Mapping[str, str]) -> bool:
    if not os.access(place.folder, os.W_OK):
        return False
    own = membership[place.controller if place.version == 1 else ""]
    return own == "/" or any(_has(place.folder, name) for name in _DELEGATED)


def _has(folder: Path, attribute: str) -> bool:
    if not hasattr(os, "getxattr"):
        return False
    try:
        return os.getxattr(folder, attribute) == b"1"
    except OSError:
        return False


def _enable(place: Place) -> None:
    offered = (place.folder / "cgroup.controllers").read_text().split()
    if place.controller not in offered:
        raise OSError(f"no controller {place.controller} in {place.folder}")
    control = place.folder / "cgroup.subtree_control"
    if place.controller not in control.read_text().split():
        control.write_text(f"+{place.controller}")


def _remove(folder: Path) -> None:
    """What still runs in it was ended; the kernel takes a moment to notice."""
    for _ in range(100):
        try:
            folder.rmdir()
            return
        except OSError:
            time.sleep(0.02)
