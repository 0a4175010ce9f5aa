"""Watches the memory of a process and all that it started, and ends them beyond a limit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil

INTERVAL_S = 0.01


class Watch:
    """`peak_bytes`: the most that the processes held at once, mapped files included.

    Of a command that is one process it is the kernel's own count (VmHWM), else the largest sum
    that was seen.
    """

    def __init__(self, process: subprocess.Popen[str], limit_bytes: int | None) -> None:
        self._process, self._limit = process, limit_bytes
        self.peak_bytes = 0
        self.ended_for_memory = False

    def until_done(self, timeout_s: float) -> bool:
        """False where it took longer than `timeout_s`; all of it has ended then, too."""
        deadline = time.monotonic() + timeout_s
        while self._process.poll() is None:
            self._look()
            if self._limit is not None and self.peak_bytes > self._limit:
                self.ended_for_memory = True
                end_group(self._process)
                return True
            if time.monotonic() > deadline:
                end_group(self._process)
                return False
            time.sleep(INTERVAL_S)
        return True

    def _look(self) -> None:
        held = [_held(pid) for pid in tree(self._process.pid)]
        now = sum(resident for resident, _ in held)
        most = held[0][1] if len(held) == 1 else 0
        self.peak_bytes = max(self.peak_bytes, now, most)


def end_group(process: subprocess.Popen[str]) -> None:
    """Ends the process, all below it, and its group, which must be of its own session."""
    below = tree(process.pid)[1:] if process.poll() is None else []
    for pid in below:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tree(pid: int) -> list[int]:
    """The process and all below it that are there, itself first."""
    found = [pid]
    for one in found:
        found += _children(one)
    return found


def _children(pid: int) -> list[int]:
    """By Linux's own list (proc(5)): looking through all processes takes as long as a look is
    apart."""
    try:
        lists = list(Path(f"/proc/{pid}/task").glob("*/children"))
        if lists:
            return [int(one) for path in lists for one in path.read_text().split()]
        return [one.pid for one in psutil.Process(pid).children()]
    except (OSError, ValueError, psutil.Error):
        return []


def _held(pid: int) -> tuple[int, int]:
    """Bytes that are resident, and the most that were since the program was started; 0 for a
    process that has gone, and where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss), 0
        return 0, 0
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    resident, most = (int(fields.get(key, "0").split()[0]) for key in ("VmRSS", "VmHWM"))
    return resident * 1024, most * 1024
