"""Runs a command in a cage, and says how it ended and what it took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

from skerry.device_profiles.emulate.cage import Cage
from skerry.device_profiles.emulate.errors import EmulationFailed
from skerry.device_profiles.emulate.group import (
    Place,
    cpu_settings,
    find_place,
    group,
    killed_for_memory,
    memory_settings,
)
from skerry.device_profiles.emulate.watch import Watch, end_group

_KEPT = 64 << 10
_BACKSTOP = 8
"""Private memory that a watched command may ask for, as a multiple of its limit: one that takes
far more at once is refused it by the kernel before the machine is full."""
_NOT_STARTED = 127


class By(StrEnum):
    """What holds a command to a limit."""

    CGROUP2 = "cgroup2"
    CGROUP1 = "cgroup1"
    WATCHED = "watched"
    AFFINITY = "affinity"
    NOTHING = "nothing"


class Ending(StrEnum):
    """`over_memory`: it needed more than the limit, and was ended."""

    DONE = "done"
    FAILED = "failed"
    OVER_MEMORY = "over_memory"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Emulated:
    """How a caged command ended. Memory in MiB; `output` and `errors` are the last 64 KiB.

    Where it was ended for memory, `peak_mb` is what it held by then.
    """

    ending: Ending
    code: int
    seconds: float
    peak_mb: float
    limit_mb: float
    memory_by: By
    cores: int
    cores_by: By
    cpus: float | None
    cpus_by: By
    output: str
    errors: str
    notes: tuple[str, ...]


def emulate(
    command: Sequence[str],
    cage: Cage,
    *,
    timeout_s: float = 600,
    groups: Path = Path("/"),
    env: Mapping[str, str] | None = None,
) -> Emulated:
    """Runs `command` in `cage`.

    Memory is limited by a control group where this process may make one, else by watching: all
    resident memory counts, mapped files included, and the command is ended when it holds more.
    Processor time is limited by a control group or not at all; the result says which.

    Args:
        command: the program and its arguments.
        cage: the limits.
        timeout_s: it is ended after so many seconds.
        groups: the folder that holds `proc` and `sys`.
        env: the environment; None for that of this process.

    Raises:
        EmulationFailed: the command cannot be started.
    """
    if not command:
        raise EmulationFailed("there is no command to run", hint="name one after --")
    with ExitStack() as stack, tempfile.TemporaryFile("w+", errors="replace") as out:
        errors = stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
        memory, cpu = _memory_group(stack, cage, groups), _cpu_group(stack, cage, groups)
        folders = [folder for folder, _ in filter(None, (memory, cpu))]
        started = time.monotonic()
        process = _start(
            command, cage, folders, watched=memory is None, files=(out, errors), env=env
        )
        watch = Watch(process, cage.memory_bytes if memory is None else None)
        try:
            in_time = watch.until_done(timeout_s)
        finally:
            end_group(process)
        over = watch.ended_for_memory or (memory is not None and killed_for_memory(*memory))
        code, said = process.returncode, _tail(errors)
        if code == _NOT_STARTED and said.startswith("skerry: "):
            raise EmulationFailed(said.removeprefix("skerry: ").strip(), hint="check the command")
        return Emulated(
            ending=_ending(code, over=over, in_time=in_time),
            code=code,
            seconds=time.monotonic() - started,
            peak_mb=watch.peak_bytes / 2**20,
            limit_mb=cage.memory_bytes / 2**20,
            memory_by=_by(memory, By.WATCHED),
            cores=len(cage.cores),
            cores_by=By.AFFINITY if sys.platform == "linux" else By.NOTHING,
            cpus=cage.cpus,
            cpus_by=_by(cpu, By.NOTHING),
            output=_tail(out),
            errors=said,
            notes=cage.notes,
        )


Group = tuple[Path, int]
"""A group's folder and the version of its hierarchy."""


def _memory_group(stack: ExitStack, cage: Cage, root: Path) -> Group | None:
    place = find_place("memory", root)
    return _entered(stack, place, memory_settings(place, cage.memory_bytes)) if place else None


def _cpu_group(stack: ExitStack, cage: Cage, root: Path) -> Group | None:
    place = find_place("cpu", root) if cage.cpus is not None else None
    return _entered(stack, place, cpu_settings(place, cage.cpus or 1)) if place else None


def _entered(stack: ExitStack, place: Place, settings: Mapping[str, str]) -> Group | None:
    try:
        return stack.enter_context(group(place, settings)), place.version
    except OSError:
        return None


def _by(made: Group | None, otherwise: By) -> By:
    if made is None:
        return otherwise
    return By.CGROUP2 if made[1] == 2 else By.CGROUP1


def _start(
    command: Sequence[str],
    cage: Cage,
    folders: Sequence[Path],
    *,
    watched: bool,
    files: tuple[IO[str], IO[str]],
    env: Mapping[str, str] | None,
) -> subprocess.Popen[str]:
    limits = {
        "groups": [str(folder) for folder in folders],
        "cores": list(cage.cores),
        "data_bytes": _BACKSTOP * cage.memory_bytes if watched and sys.platform == "linux" else 0,
    }
    launcher = str(Path(__file__).with_name("launch.py"))
    try:
        return subprocess.Popen(  # noqa: S603  what the caller asked for
            [sys.executable, "-S", "-E", launcher, json.dumps(limits), *command],
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1],
            text=True,
            start_new_session=True,
            env=env,
        )
    except (OSError, ValueError) as error:
        raise EmulationFailed(f"the command cannot be started: {error}") from error


def _ending(code: int, *, over: bool, in_time: bool) -> Ending:
    if over:
        return Ending.OVER_MEMORY
    if not in_time:
        return Ending.TIMED_OUT
    return Ending.DONE if code == 0 else Ending.FAILED


def _tail(file: IO[str]) -> str:
    file.flush()
    size = file.seek(0, 2)
    file.seek(max(0, size - _KEPT))
    return file.read()
