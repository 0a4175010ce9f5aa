"""A terminal to run the command on, with somebody at its keyboard."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Sequence
from pathlib import Path

CTRL_C = b"\x03"


class Terminal:
    """Runs `command` with a pseudo-terminal as all its standard streams."""

    def __init__(
        self, command: Sequence[str], *, env: dict[str, str], cwd: Path, columns: int = 80
    ) -> None:
        self.screen = b""
        self._process, self._side = pty.fork()
        if not self._process:
            os.chdir(cwd)
            os.execvpe(command[0], command, env)
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self._side, termios.TIOCSWINSZ, size)
        self._modes = termios.tcgetattr(self._side)

    def wait_for(self, words: str, seconds: float = 60) -> None:
        """Until `words` are on the screen, after what was there before."""
        start, end = len(self.screen), time.monotonic() + seconds
        while words.encode() not in self.screen[start:]:
            assert self._read(end), self.screen.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        os.write(self._side, keys)

    def end(self, seconds: float = 60) -> int:
        """The exit code; the terminal must be left as it was found."""
        limit = time.monotonic() + seconds
        while self._read(limit):
            pass
        assert time.monotonic() < limit, self.screen.decode(errors="replace")
        _, status = os.waitpid(self._process, 0)
        assert termios.tcgetattr(self._side) == self._modes
        os.close(self._side)
        return os.waitstatus_to_exitcode(status)

    def _read(self, limit: float) -> bool:
        """Reads a little more; False at the end, or when it is too late."""
        ready, _, _ = select.select([self._side], [], [], max(0.0, limit - time.monotonic()))
        try:
            part = os.read(self._side, 65536) if ready else b""
        except OSError:  # Linux: the other side is closed
            return False
        self.screen += part
        return bool(part)
