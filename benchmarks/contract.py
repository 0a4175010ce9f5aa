"""The contract of every benchmark: what one is, what it reports, and how that is printed.

A benchmark is a module in this folder with `KEYS` (the names of its figures, never renamed) and
`run(options) -> dict[str, Figure]`. It is seeded and warmed up, and runs its peers in the same
process or the same minute. `quick` is under a minute: smaller, the same keys. A figure that
cannot be measured here has `value` None and says why in `note`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `target` is a number to reach, on the side that `better` names."""

    value: float | None
    unit: str
    better: Better
    target: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the best peer's; None without both."""
        if self.value is None or not self.peers:
            return None
        best = max(self.peers.values()) if self.better == "higher" else min(self.peers.values())
        return self.value / best if best else None

    @property
    def met(self) -> bool | None:
        if self.value is None or self.target is None:
            return None
        return self.value >= self.target if self.better == "higher" else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio}


@dataclass(frozen=True, slots=True)
class Options:
    """`data` is the folder of public data sets (or SKERRY_DATA); `seed` fixes every draw."""

    quick: bool = False
    seed: int = 0
    data: Path | None = None


class DataMissing(Exception):
    """A public data set that a benchmark needs is not there."""

    def __init__(self, name: str, source: str) -> None:
        super().__init__(
            f"the public data set '{name}' is missing ({source}); "
            f"put it under a folder and name the folder with --data or SKERRY_DATA"
        )


class Benchmark(Protocol):
    KEYS: tuple[str, ...]

    def run(self, options: Options) -> dict[str, Figure]: ...


def data_file(options: Options, relative: str, *, source: str) -> Path:
    """The file `relative` under the data folder, or a DataMissing that names the public set."""
    name = relative.split("/", 1)[0]
    if options.data is None or not (options.data / relative).exists():
        raise DataMissing(name, source)
    return options.data / relative


def machine() -> dict[str, Any]:
    """What this ran on: figures of two machines are not compared."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
