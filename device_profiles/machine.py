"""What this machine has: memory, cores, instruction sets, accelerators, battery, as plain data.

`probe` reads; the `parse_…` functions are pure. Sends nothing, runs nothing but `sysctl` on a Mac.
Says nothing of what suits the machine: that is `pick`.
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from skerry.device_profiles.cgroup import Limits, read_limits
from skerry.device_profiles.profile import Accelerator, Kind

MIB = 1 << 20

_ARCHITECTURES = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64", "arm64e": "arm64"}

# Names of /proc/cpuinfo (Linux) and sysctl (macOS) -> names in profiles. Others do not matter here.
_FEATURES = {
    "avx": "avx",
    "avx2": "avx2",
    "avx512f": "avx512f",
    "avx512_vnni": "avx512_vnni",
    "avx_vnni": "avx_vnni",
    "amx_int8": "amx_int8",
    "fma": "fma",
    "f16c": "f16c",
    "asimd": "neon",
    "neon": "neon",
    "asimdhp": "fp16",
    "asimddp": "dotprod",
    "i8mm": "i8mm",
    "bf16": "bf16",
    "sve": "sve",
    "sve2": "sve2",
    "hw.optional.neon": "neon",
    "hw.optional.arm.FEAT_FP16": "fp16",
    "hw.optional.arm.FEAT_DotProd": "dotprod",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.arm.FEAT_BF16": "bf16",
    "hw.optional.avx2_0": "avx2",
}

# Device files that a driver makes: seeing one costs nothing and needs no library.
_DEVICE_FILES = {
    "dev/nvidiactl": Accelerator.CUDA,
    "dev/kfd": Accelerator.ROCM,
    "dev/dri/renderD128": Accelerator.VULKAN,
    "dev/kgsl-3d0": Accelerator.OPENCL,
    "dev/mali0": Accelerator.OPENCL,
    "dev/accel/accel0": Accelerator.NPU,
    "dev/hailo0": Accelerator.NPU,
}

# SMBIOS specification (DSP0134), table 17: portable, laptop, notebook, sub-notebook, tablet,
# convertible, detachable.
_PORTABLE_CHASSIS = frozenset({8, 9, 10, 14, 30, 31, 32})


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as this process sees it; memory in MiB.

    `memory_limit_mb` and `cores` are what this process may use: the machine's own, or less
    in a container. `model` is what the maker calls the machine, where it says so. `kind` is None if
    nothing tells. `on_power` is True without a battery.
    """

    system: str
    architecture: str
    model: str
    kind: Kind | None
    memory_total_mb: int
    memory_limit_mb: int
    memory_available_mb: int
    physical_cores: int
    logical_cores: int
    cores: int
    features: tuple[str, ...]
    accelerators: tuple[Accelerator, ...]
    battery_percent: float | None = None
    on_power: bool = True


@dataclass(frozen=True, slots=True)
class Power:
    """Charge in percent, None without a battery; and whether the mains supply power."""

    battery_percent: float | None = None
    on_power: bool = True


def probe(root: Path = Path("/")) -> Machine:
    """This machine. `root` is where `proc`, `sys` and `dev` are."""
    system = _system()
    architecture = normal_architecture(platform.machine())
    limits = read_limits(root)
    power = read_power()
    model = _model(root)
    physical, logical = psutil.cpu_count(logical=False), psutil.cpu_count() or 1
    return Machine(
        system=system,
        architecture=architecture,
        model=model,
        kind=tell_kind(system, model, _chassis(root), power.battery_percent is not None),
        memory_total_mb=psutil.virtual_memory().total // MIB,
        memory_limit_mb=usable_memory(psutil.virtual_memory().total, limits) // MIB,
        memory_available_mb=free_memory(psutil.virtual_memory().available, limits) // MIB,
        physical_cores=physical or logical,
        logical_cores=logical,
        cores=usable_cores(physical or logical, _affinity(), limits),
        features=_features(root),
        accelerators=_accelerators(root, system, architecture),
        battery_percent=power.battery_percent,
        on_power=power.on_power,
    )


def read_power() -> Power:
    """Battery and mains; a machine that hides its battery counts as one on the mains."""
    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError, ValueError):
        return Power()
    if battery is None:
        return Power()
    return Power(float(battery.percent), battery.power_plugged is not False)


def normal_architecture(name: str) -> str:
    return _ARCHITECTURES.get(name.lower(), name.lower())


def usable_memory(total_bytes: int, limits: Limits) -> int:
    """Bytes that this process may use at most."""
    return min(total_bytes, limits.memory_bytes or total_bytes)


def free_memory(available_bytes: int, limits: Limits) -> int:
    """Bytes that this process could take now without anything being killed or swapped."""
    if limits.memory_bytes is None or limits.memory_used_bytes is None:
        return available_bytes
    return max(0, min(available_bytes, limits.memory_bytes - limits.memory_used_bytes))


def usable_cores(physical: int, affinity: int | None, limits: Limits) -> int:
    """Cores that this process may use: a second thread of a core adds nothing to decoding."""
    allowed = [physical, affinity or physical, int(limits.cpus or physical)]
    return max(1, min(allowed))


def tell_kind(system: str, model: str, chassis: int | None, battery: bool) -> Kind | None:
    """What kind of device it is, from what it says of itself."""
    if system == "Darwin":
        return Kind.MAC
    if system in ("Android", "iOS", "iPadOS"):
        return Kind.PHONE
    if any(name in model for name in ("Raspberry Pi", "Radxa", "ROCK", "Orange Pi")):
        return Kind.BOARD
    if battery or chassis in _PORTABLE_CHASSIS:
        return Kind.LAPTOP
    return Kind.WORKSTATION if system in ("Linux", "Windows") else None


def parse_features(names: Iterable[str]) -> tuple[str, ...]:
    """The instruction sets among `names` that matter to a model's kernels, sorted."""
    return tuple(sorted({_FEATURES[name] for name in names if name in _FEATURES}))


def parse_cpuinfo(text: str) -> tuple[str, ...]:
    """Instruction sets from /proc/cpuinfo: what every processor listed there has.

    The cores of a phone differ; a model's threads may run on any.
    """
    common: set[str] | None = None
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            common = set(value.split()) & (common or set(value.split()))
    return parse_features(common or ())


def parse_sysctl(text: str) -> tuple[str, ...]:
    """Instruction sets from `sysctl hw.optional` of a Mac: lines such as `name: 1`."""
    pairs = (line.partition(":") for line in text.splitlines())
    return parse_features(name for name, _, value in pairs if value.strip() == "1")


def _system() -> str:
    return "Android" if "ANDROID_ROOT" in os.environ else platform.system()


def _model(root: Path) -> str:
    """The machine's name: device tree (boards) or DMI (PCs); empty where neither is."""
    for name in ("proc/device-tree/model", "sys/class/dmi/id/product_name"):
        if text := _read(root / name).strip("\0\n "):
            return text
    return ""


def _chassis(root: Path) -> int | None:
    text = _read(root / "sys/class/dmi/id/chassis_type").strip()
    return int(text) if text.isdecimal() else None


def _affinity() -> int | None:
    if not hasattr(os, "sched_getaffinity"):
        return None
    return len(os.sched_getaffinity(0))


def _features(root: Path) -> tuple[str, ...]:
    if platform.system() == "Darwin":
        return parse_sysctl(_sysctl("hw.optional"))
    return parse_cpuinfo(_read(root / "proc/cpuinfo"))


def _accelerators(root: Path, system: str, architecture: str) -> tuple[Accelerator, ...]:
    if system == "Darwin" and architecture == "arm64":
        return Accelerator.METAL, Accelerator.NEURAL_ENGINE
    return tuple(sorted({kind for name, kind in _DEVICE_FILES.items() if (root / name).exists()}))


def _sysctl(name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  a fixed program with a fixed argument
            ["/usr/sbin/sysctl", name], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
