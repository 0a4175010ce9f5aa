from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.device_profiles.cgroup import (
    Limits,
    parse_bytes,
    parse_cpu_max,
    parse_droppable,
    parse_membership,
    parse_quota,
    read_limits,
)

NO_LIMITS = Limits()
V2 = "0::/app.slice/skerry.service\n"
V1 = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n"


@dataclass(frozen=True)
class Tree:
    """Files below a root, and the limits that they mean."""

    name: str
    files: dict[str, str] = field(default_factory=dict)
    limits: Limits = NO_LIMITS


TREES = [
    Tree("no control groups"),
    Tree("no limit", {"proc/self/cgroup": V2, "sys/fs/cgroup/memory.max": "max\n"}),
    Tree(
        "v2",
        {
            "proc/self/cgroup": V2,
            "sys/fs/cgroup/app.slice/skerry.service/memory.max": "1000000\n",
            "sys/fs/cgroup/app.slice/skerry.service/memory.current": "400000\n",
            "sys/fs/cgroup/app.slice/skerry.service/memory.stat": "anon 1\ninactive_file 100000\n",
            "sys/fs/cgroup/app.slice/skerry.service/cpu.max": "150000 100000\n",
        },
        Limits(1_000_000, 300_000, 1.5),
    ),
    Tree(
        "v2, the group around it is smaller",
        {
            "proc/self/cgroup": V2,
            "sys/fs/cgroup/app.slice/skerry.service/memory.max": "9000\n",
            "sys/fs/cgroup/app.slice/memory.max": "5000\n",
            "sys/fs/cgroup/app.slice/memory.current": "2000\n",
            "sys/fs/cgroup/app.slice/cpu.max": "max 100000\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
        },
        Limits(5000, 2000, 0.5),
    ),
    Tree(
        "v1",
        {
            "proc/self/cgroup": V1,
            "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "2048\n",
            "sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes": "1024\n",
            "sys/fs/cgroup/memory/docker/abc/memory.stat": "total_inactive_file 24\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us": "100000\n",
        },
        Limits(2048, 1000, 2.0),
    ),
    Tree(
        "v1 in a container: the path is the host's",
        {
            "proc/self/cgroup": V1,
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "4096\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        Limits(4096, None, None),
    ),
    Tree(
        "v2 in a container whose path leads out of it",
        {"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/memory.max": "7\n"},
        Limits(7, None, None),
    ),
    Tree("rubbish", {"proc/self/cgroup": "what\n:::\n", "sys/fs/cgroup/memory.max": "x"}),
]


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.name)
def test_limits(tree: Tree, tmp_path: Path) -> None:
    for name, text in tree.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert read_limits(tmp_path) == tree.limits


def test_limits_of_this_process() -> None:
    limits = read_limits()
    assert limits.memory_bytes is None or limits.memory_bytes > 0
    assert limits.cpus is None or limits.cpus > 0


def test_membership() -> None:
    assert parse_membership(V2 + V1) == {
        "": "/app.slice/skerry.service",
        "memory": "/docker/abc",
        "cpu": "/docker/abc",
        "cpuacct": "/docker/abc",
        "name=systemd": "/",
    }


@given(st.text())
def test_parsers_take_any_text(text: str) -> None:
    parse_membership(text)
    parse_cpu_max(text)
    parse_quota(text, text)
    assert parse_droppable(text, "inactive_file") >= 0
    assert (parse_bytes(text) or 0) < 1 << 60
