"""What a container lets this process use: memory and processors of Linux control groups, v1 and v2.

Formats: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. The limit of
a group holds for all below it, so the least of the whole path counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

UNLIMITED_FROM = 1 << 60
"""cgroup v1 says "no limit" with a number near 2**63, rounded to pages."""

_HIERARCHIES = ("sys/fs/cgroup", "sys/fs/cgroup/unified")


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit. `memory_used_bytes` leaves out file pages that the kernel can drop."""

    memory_bytes: int | None = None
    memory_used_bytes: int | None = None
    cpus: float | None = None


def read_limits(root: Path = Path("/")) -> Limits:
    """The limits of this process; none without control groups. `root` holds `proc` and `sys`."""
    text = _read(root / "proc/self/cgroup")
    if text is None:
        return Limits()
    paths = parse_membership(text)
    bounded = [memory for memory in _memory(root, paths) if memory[0] is not None]
    limit, used = min(bounded, key=lambda memory: memory[0] or 0, default=(None, None))
    return Limits(limit, used, _least(_cpus(root, paths)))


def parse_membership(text: str) -> dict[str, str]:
    """The group of each controller, from /proc/self/cgroup; "" is the v2 hierarchy."""
    paths: dict[str, str] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon:
            paths |= dict.fromkeys(controllers.split(","), path)
    return paths


def parse_bytes(text: str | None) -> int | None:
    """A limit in bytes; None for "max", v1's huge number, and what is no number."""
    number = _number(text)
    return None if number is None or number >= UNLIMITED_FROM else number


def parse_cpu_max(text: str | None) -> float | None:
    """Processors from v2's `cpu.max`: quota and period in microseconds, or "max" and period."""
    quota, _, period = (text or "").strip().partition(" ")
    return parse_quota(quota, period)


def parse_quota(quota: str | None, period: str | None) -> float | None:
    """Processors from v1's `cpu.cfs_quota_us` and `cpu.cfs_period_us`; -1 is no limit."""
    numbers = _number(quota), _number(period)
    if numbers[0] is None or numbers[1] is None or min(numbers[0], numbers[1]) <= 0:
        return None
    return numbers[0] / numbers[1]


def parse_droppable(text: str | None, key: str) -> int:
    """Bytes of inactive file pages, from `memory.stat`: the kernel frees them on demand."""
    for line in (text or "").splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return _number(value) or 0
    return 0


def _memory(root: Path, paths: Mapping[str, str]) -> Iterator[tuple[int | None, int | None]]:
    """(limit, used) of every group that holds this process."""
    for folder in _unified(root, paths):
        limit = parse_bytes(_read(folder / "memory.max"))
        yield limit, _used(folder, "memory.current", "inactive_file")
    for folder in _folders(root / "sys/fs/cgroup/memory", paths.get("memory")):
        limit = parse_bytes(_read(folder / "memory.limit_in_bytes"))
        yield limit, _used(folder, "memory.usage_in_bytes", "total_inactive_file")


def _used(folder: Path, name: str, droppable: str) -> int | None:
    used = _number(_read(folder / name))
    if used is None:
        return None
    return max(0, used - parse_droppable(_read(folder / "memory.stat"), droppable))


def _cpus(root: Path, paths: Mapping[str, str]) -> Iterator[float | None]:
    for folder in _unified(root, paths):
        yield parse_cpu_max(_read(folder / "cpu.max"))
    for folder in _folders(root / "sys/fs/cgroup/cpu", paths.get("cpu")):
        quota = _read(folder / "cpu.cfs_quota_us")
        yield parse_quota(quota, _read(folder / "cpu.cfs_period_us"))


def _unified(root: Path, paths: Mapping[str, str]) -> Iterator[Path]:
    for hierarchy in _HIERARCHIES:
        yield from _folders(root / hierarchy, paths.get(""))


def _folders(mount: Path, group: str | None) -> Iterator[Path]:
    """The folder of `group` and of every group around it, up to the mount point.

    In a container the mount shows the container's own group as its root, and `group` may be a path
    of the host that does not exist here: the mount point itself is then what counts.
    """
    if group is None:
        return
    inner = PurePosixPath(group.lstrip("/"))
    if ".." in inner.parts:
        inner = PurePosixPath()
    for part in (inner, *inner.parents) if inner.parts else (inner,):
        yield mount / part


def _least(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None
