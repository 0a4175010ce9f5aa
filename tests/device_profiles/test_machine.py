from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.device_profiles import (
    Accelerator,
    Kind,
    Machine,
    ProfileNotFound,
    load_profiles,
    measure_read_gb_s,
    pick,
    probe,
)
from skerry.device_profiles.cgroup import Limits
from skerry.device_profiles.machine import (
    free_memory,
    normal_architecture,
    parse_cpuinfo,
    parse_sysctl,
    tell_kind,
    usable_cores,
    usable_memory,
)

X86 = "processor\t: 0\nflags\t\t: fpu sse avx avx2 fma f16c\n\nflags\t\t: fpu avx avx2 f16c\n"
PI5 = "processor\t: 0\nFeatures\t: fp asimd evtstrm aes asimdhp cpuid asimddp\n"
MAC = "hw.optional.neon: 1\nhw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 0\n"
DESK = Machine(
    system="Linux",
    architecture="x86_64",
    model="OptiPlex",
    kind=Kind.WORKSTATION,
    memory_total_mb=15_900,
    memory_limit_mb=15_900,
    memory_available_mb=12_000,
    physical_cores=6,
    logical_cores=6,
    cores=6,
    features=("avx2",),
    accelerators=(),
)


@pytest.mark.parametrize(
    ("parsed", "features"),
    [
        (parse_cpuinfo(X86), ("avx", "avx2", "f16c")),
        (parse_cpuinfo(PI5), ("dotprod", "fp16", "neon")),
        (parse_cpuinfo(""), ()),
        (parse_sysctl(MAC), ("dotprod", "neon")),
        (parse_sysctl("rubbish"), ()),
    ],
)
def test_features(parsed: tuple[str, ...], features: tuple[str, ...]) -> None:
    assert parsed == features


@given(st.text())
def test_feature_parsers_take_any_text(text: str) -> None:
    assert isinstance(parse_cpuinfo(text), tuple)
    assert isinstance(parse_sysctl(text), tuple)


@pytest.mark.parametrize(
    ("system", "model", "chassis", "battery", "kind"),
    [
        ("Darwin", "", None, True, Kind.MAC),
        ("Android", "", None, True, Kind.PHONE),
        ("Linux", "Raspberry Pi 5 Model B Rev 1.0", None, False, Kind.BOARD),
        ("Linux", "20XW", 10, True, Kind.LAPTOP),
        ("Linux", "20XW", 10, False, Kind.LAPTOP),
        ("Windows", "", None, True, Kind.LAPTOP),
        ("Linux", "OptiPlex", 3, False, Kind.WORKSTATION),
        ("FreeBSD", "", None, False, None),
    ],
)
def test_kind(
    system: str, model: str, chassis: int | None, battery: bool, kind: Kind | None
) -> None:
    assert tell_kind(system, model, chassis, battery) is kind


@pytest.mark.parametrize(
    ("physical", "affinity", "cpus", "cores"),
    [(8, None, None, 8), (8, 2, None, 2), (8, 8, 3.7, 3), (8, 8, 0.5, 1), (2, 16, 16.0, 2)],
)
def test_usable_cores(physical: int, affinity: int | None, cpus: float | None, cores: int) -> None:
    assert usable_cores(physical, affinity, Limits(cpus=cpus)) == cores


@pytest.mark.parametrize(
    ("limits", "usable", "free"),
    [
        (Limits(), 1000, 800),
        (Limits(500, 100), 500, 400),
        (Limits(500, 600), 500, 0),
        (Limits(500, None), 500, 800),
        (Limits(5000, 100), 1000, 800),
    ],
)
def test_memory_in_a_container(limits: Limits, usable: int, free: int) -> None:
    assert usable_memory(1000, limits) == usable
    assert free_memory(800, limits) == free


def test_this_machine() -> None:
    machine = probe()
    assert machine.memory_total_mb == psutil.virtual_memory().total >> 20
    assert 0 < machine.memory_limit_mb <= machine.memory_total_mb
    assert 0 <= machine.memory_available_mb <= machine.memory_total_mb
    assert 1 <= machine.cores <= machine.physical_cores <= machine.logical_cores
    assert machine.architecture == normal_architecture(machine.architecture)


def test_devices_and_names_are_seen_in_files(tmp_path: Path) -> None:
    for name, text in {
        "dev/nvidiactl": "",
        "dev/dri/renderD128": "",
        "proc/device-tree/model": "Radxa ROCK 5B\0",
        "sys/class/dmi/id/chassis_type": "3\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    machine = probe(tmp_path)
    assert machine.model == "Radxa ROCK 5B"
    if machine.system == "Linux":
        assert machine.accelerators == (Accelerator.CUDA, Accelerator.VULKAN)
        assert machine.kind is Kind.BOARD


@dataclass(frozen=True)
class Choice:
    name: str
    machine: Machine
    profile: str
    says: str


def _like(**changes: object) -> Machine:
    return dataclasses.replace(DESK, **changes)  # type: ignore[arg-type]


PHONE = _like(system="Android", kind=Kind.PHONE, architecture="arm64", cores=8, model="")
CHOICES = [
    Choice("desk", DESK, "workstation", "OptiPlex is a workstation with x86_64 cores"),
    Choice(
        "phone of 4 GB", dataclasses.replace(PHONE, memory_limit_mb=3700), "budget-phone", "3700"
    ),
    Choice("phone of 8 GB", dataclasses.replace(PHONE, memory_limit_mb=7400), "phone-mid", "8192"),
    Choice(
        "phone of 16 GB", dataclasses.replace(PHONE, memory_limit_mb=15_000), "phone-flagship", ""
    ),
    Choice(
        "phone of 2 GB", dataclasses.replace(PHONE, memory_limit_mb=1800), "budget-phone", "less"
    ),
    Choice("Mac", _like(kind=Kind.MAC, architecture="arm64"), "apple-silicon", "arm64"),
    Choice("old Mac", _like(kind=Kind.MAC), "apple-silicon", "no profile of that kind"),
    Choice(
        "unknown Arm board", _like(kind=None, architecture="arm64"), "apple-silicon", "of its kind"
    ),
    Choice(
        "no cores that we know", _like(kind=None, architecture="riscv64"), "workstation", "riscv64"
    ),
    Choice("container of 2 cores", _like(cores=2), "workstation", "threads cut from 6 to the 2"),
    Choice("container of 1 GB", _like(memory_limit_mb=1024), "workstation", "in proportion"),
]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.name)
def test_pick(choice: Choice) -> None:
    picked = pick(choice.machine, load_profiles())
    assert picked.profile.name == choice.profile
    assert choice.says in "; ".join(picked.reasons)


MACHINES = st.builds(
    _like,
    kind=st.sampled_from([*Kind, None]),
    architecture=st.sampled_from(["x86_64", "arm64", "riscv64"]),
    memory_limit_mb=st.integers(64, 1 << 20),
    cores=st.integers(1, 256),
)


@given(MACHINES, st.integers())
def test_pick_never_asks_for_more_than_there_is(machine: Machine, seed: int) -> None:
    profiles = list(load_profiles())
    picked = pick(machine, profiles)
    Random(seed).shuffle(profiles)
    assert pick(machine, profiles) == picked
    assert picked.profile.threads <= machine.cores
    assert picked.profile.memory.runtime_mb <= machine.memory_limit_mb
    assert picked.reasons


def test_pick_from_nothing() -> None:
    with pytest.raises(ProfileNotFound):
        pick(DESK, [])


def test_measured_memory_speed_is_plausible() -> None:
    assert 0.1 < measure_read_gb_s(1) < 2000
