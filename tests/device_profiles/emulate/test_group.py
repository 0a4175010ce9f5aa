"""Where control groups may be made, and what is written there. The folders are made up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.device_profiles.emulate import group
from skerry.device_profiles.emulate.group import Place


@dataclass(frozen=True)
class Machine:
    membership: str
    folders: tuple[str, ...]
    found: str | None
    version: int = 2


V2_FILES = ("cgroup.controllers", "cgroup.subtree_control")
MACHINES = {
    "nothing": Machine("", (), None),
    "a container of its own": Machine("0::/\n", ("",), ""),
    "below another manager": Machine("0::/system.slice/x.service\n", ("system.slice/x.service",),
                                     None),
    "version 1, root": Machine("3:memory:/\n1:cpu:/\n", ("memory",), "memory", 1),
    "version 1, below another manager": Machine("3:memory:/lxc/a\n", ("memory/lxc/a",), None),
    "version 1 beside 2": Machine("3:memory:/\n0::/x\n", ("memory", "unified/x"), "memory", 1),
    "a folder that is not there": Machine("3:memory:/\n", (), None),
}  # fmt: skip


@pytest.mark.parametrize("name", MACHINES)
def test_groups_are_made_only_where_they_are_ours(tmp_path: Path, name: str) -> None:
    machine, base = MACHINES[name], tmp_path / "sys/fs/cgroup"
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(machine.membership)
    for folder in machine.folders:
        (base / folder).mkdir(parents=True, exist_ok=True)
    if machine.version == 2 and machine.folders:
        (base / "cgroup.controllers").write_text("cpu memory\n")
    place = group.find_place("memory", tmp_path)
    wanted = None if machine.found is None else Place(base / machine.found, machine.version,
                                                      "memory")  # fmt: skip
    assert place == wanted


def test_settings_are_those_of_the_kernel() -> None:
    one, two = Place(Path("a"), 1, "cpu"), Place(Path("a"), 2, "cpu")
    assert group.cpu_settings(two, 1.5) == {"cpu.max": "150000 100000"}
    assert group.cpu_settings(one, 0.5) == {
        "cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000",
    }  # fmt: skip
    assert group.memory_settings(two, 7) == {"memory.max": "7", "memory.swap.max": "0"}
    assert group.memory_settings(one, 7) == {"memory.limit_in_bytes": "7"}


def test_a_kernel_that_refuses_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu\n")
    with (
        pytest.raises(OSError, match="no controller memory"),
        group.group(Place(tmp_path, 2, "memory"), {}),
    ):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["cgroup.controllers"]


@pytest.mark.parametrize(
    ("version", "name", "text", "killed"),
    [
        (2, "memory.events", "low 0\noom 1\noom_kill 1\n", True),
        (2, "memory.events", "low 0\noom 3\noom_kill 0\n", False),
        (1, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", True),
        (1, "other", "", False),
    ],
)
def test_the_kernel_says_whether_it_killed(
    tmp_path: Path, version: int, name: str, text: str, killed: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert group.killed_for_memory(tmp_path, version) is killed
