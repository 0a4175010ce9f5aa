"""Runs a module or a script that ends when the process that waits for it does, however that ends.

    python with_parent.py -m MODULE ARGUMENTS…
    python with_parent.py SCRIPT ARGUMENTS…

A converter takes minutes and gigabytes: of a build that was killed nothing may go on. Imports
nothing but the standard library, so that any interpreter can run it.
"""

from __future__ import annotations

import ctypes
import runpy
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Has Linux kill this process when its parent ends (prctl(2)); nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def module_command(module: str, *given: str) -> list[str]:
    """The command line that runs `module` so, by this interpreter."""
    return [sys.executable, __file__, "-m", module, *given]


def script_command(python: str, script: Path, *given: str) -> list[str]:
    """The command line that runs `script` so, by the interpreter `python`."""
    return [python, __file__, str(script), *given]


def last_words(code: int, said: str) -> str:
    """Why a process failed: the signal that ended it, or the last line on its standard error."""
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return (said.strip() or "no output").rsplit("\n", 1)[-1]


def _main(given: list[str]) -> None:
    end_with_parent()
    sys.path.pop(0)  # this folder, which is no place for modules of others
    if given[0] == "-m":
        sys.argv = given[1:]
        runpy.run_module(given[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = given
        sys.path.insert(0, str(Path(given[0]).parent))
        runpy.run_path(given[0], run_name="__main__")


if __name__ == "__main__":
    _main(sys.argv[1:])
