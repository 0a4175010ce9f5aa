"""A disk that fails: counts what a process does to it, and at one step stops it, cuts its power, or
is full.

Lies under `os`, so that every library is seen. For a power cut it keeps what is needed to take back
what was not synced: the tail of files, and the newest changes of names in each folder, since a file
system may lose those of one folder and keep those of another. Runs in a forked process, which ends.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Fault(StrEnum):
    """What happens at the step."""

    KILL_BEFORE = "kill before"
    KILL_AFTER = "kill after"
    KILL_WITHIN = "kill within"
    POWER_CUT = "power cut"
    DISK_FULL = "disk full"
    DISK_FULL_ONCE = "disk full once"


_NAMES = ("open", "write", "fsync", "rename", "replace", "link", "symlink", "unlink", "remove",
          "mkdir", "rmdir", "chmod")  # fmt: skip
_NEEDS_ROOM = frozenset({"open", "write", "fsync", "rename", "replace", "link", "symlink", "mkdir"})
_WRITES = os.O_WRONLY | os.O_RDWR

Undo = Callable[[], None]


@dataclass
class Disk:
    """The disk below `folder`; at its step number `at` there is a `fault`.

    `shadow` is a folder on the same file system for what may come back.
    """

    folder: Path
    shadow: Path
    fault: Fault
    at: int
    rng: random.Random
    steps: int = 0
    _real: dict[str, Any] = field(default_factory=dict)
    _dirty: dict[int, int] = field(default_factory=dict)
    _undo: dict[str, list[Undo]] = field(default_factory=dict)
    _kept: int = 0

    def install(self) -> None:
        """Takes the place of the system's calls, for the rest of this process."""
        self._real = {name: getattr(os, name) for name in _NAMES}
        for name in _NAMES:
            setattr(os, name, self._wrapped(name))

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = self._real[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._ours(name, args):
                return real(*args, **kwargs)
            self.steps += 1
            if self.steps == self.at or (
                self.fault is Fault.DISK_FULL and self.steps > self.at > 0
            ):
                self._fail(name, args)
            undo = self._before(name, args)
            done = real(*args, **kwargs)
            self._after(name, args, done, undo)
            if self.steps == self.at and self.fault is Fault.KILL_AFTER:
                self._die()
            return done

        return call

    def _ours(self, name: str, args: tuple[Any, ...]) -> bool:
        if name == "open":
            return bool(args[1] & (_WRITES | os.O_CREAT)) and self._below(args[0])
        if name in ("write", "fsync"):
            return self._below(_path_of(args[0]))
        return self._below(args[1] if name in ("link", "symlink") else args[0])

    def _below(self, path: Any) -> bool:
        text = os.fspath(path) if not isinstance(path, int) else _path_of(path)
        return str(text).startswith(str(self.folder))

    def _fail(self, name: str, args: tuple[Any, ...]) -> None:
        if self.fault in (Fault.DISK_FULL, Fault.DISK_FULL_ONCE):
            if name in _NEEDS_ROOM and not (name == "fsync" and _is_folder(args[0])):
                self._part(name, args)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        elif self.fault is not Fault.KILL_AFTER:
            if self.fault is Fault.KILL_WITHIN:
                self._part(name, args)
            self._die()

    def _part(self, name: str, args: tuple[Any, ...]) -> None:
        """A write that stops takes some of the bytes."""
        if name == "write" and len(args[1]) > 1:
            self._real["write"](args[0], args[1][: self.rng.randrange(len(args[1]))])

    def _die(self) -> None:
        if self.fault is Fault.POWER_CUT:
            self._lose()
        os.kill(os.getpid(), signal.SIGKILL)

    def _before(self, name: str, args: tuple[Any, ...]) -> Undo | None:  # noqa: PLR0911
        """What brings back what the call is about to take away."""
        if self.fault is not Fault.POWER_CUT:
            return None
        real = self._real
        if name in ("rename", "replace"):
            source, target = map(os.fspath, args[:2])
            over = self._keep(target)

            def undo() -> None:
                real["rename"](target, source)
                if over:
                    real["rename"](over, target)

            return undo
        if name in ("unlink", "remove"):
            path = os.fspath(args[0])
            kept = self._keep(path)
            return (lambda: real["rename"](kept, path)) if kept else None
        if name == "rmdir":
            path = os.fspath(args[0])
            return lambda: real["mkdir"](path)
        if name in ("link", "symlink"):
            target = os.fspath(args[1])
            return lambda: real["unlink"](target)
        if name == "mkdir":
            path = os.fspath(args[0])
            return lambda: shutil.rmtree(path)
        if name == "open" and not Path(args[0]).exists():
            path = os.fspath(args[0])
            return lambda: real["unlink"](path)
        return None

    def _keep(self, path: str) -> str:
        """Keeps what is at `path` in the shadow; empty where there is nothing, or a folder."""
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            return ""
        self._kept += 1
        kept = str(self.shadow / str(self._kept))
        if stat.S_ISLNK(mode):
            self._real["symlink"](Path(path).readlink(), kept)
        elif stat.S_ISREG(mode):
            self._real["link"](path, kept)
        else:
            return ""
        return kept

    def _after(self, name: str, args: tuple[Any, ...], done: Any, undo: Undo | None) -> None:
        if self.fault is not Fault.POWER_CUT:
            return
        if name == "fsync":
            path = _path_of(args[0])
            self._undo.pop(path, None)
            self._dirty.pop(os.fstat(args[0]).st_ino, None)
        elif name == "open" and args[1] & _WRITES:
            found = os.fstat(done)
            self._dirty.setdefault(found.st_ino, found.st_size)
        if undo is not None:
            named = args[1] if name in ("link", "symlink", "rename", "replace") else args[0]
            self._undo.setdefault(str(Path(os.fspath(named)).parent), []).append(undo)

    def _lose(self) -> None:
        """Takes back what was not synced: some of it, or all."""
        for undos in self._undo.values():
            for undo in reversed(undos[self.rng.randint(0, len(undos)) :]):
                try:
                    undo()
                except OSError:
                    continue  # what it is about was taken back with another folder
        for path in sorted(self.folder.rglob("*")):
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode) and found.st_ino in self._dirty:
                self._lose_tail(path, found.st_size, self._dirty[found.st_ino])

    def _lose_tail(self, path: Path, size: int, synced: int) -> None:
        """A tail that was not synced is gone, or reads as zeros."""
        keep = self.rng.randint(min(synced, size), size)
        path.chmod(0o644)
        os.truncate(path, keep)
        if self.rng.random() < 0.5:
            os.truncate(path, size)


def _path_of(handle: int) -> str:
    return str(Path(f"/proc/self/fd/{handle}").readlink())


def _is_folder(handle: int) -> bool:
    return stat.S_ISDIR(os.fstat(handle).st_mode)
