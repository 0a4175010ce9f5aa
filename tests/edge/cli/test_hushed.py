"""What converters print is not shown; what a command prints is."""

from __future__ import annotations

import os
import subprocess
import sys

_TALKING = """
import os, sys
from skerry.edge.cli.bars import tools_bar
print("before")
try:
    with tools_bar(quiet=False) as told:
        print("python"); print("python", file=sys.stderr)
        os.system("echo process; echo process >&2")
        os.write(1, b"raw"); os.write(2, b"raw")
        told("working", 0.5)
        if "fail" in sys.argv:
            raise ValueError("wrong")
except ValueError as error:
    print(f"caught {error}", file=sys.stderr)
print("after")
"""


def _run(*arguments: str, **environment: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", _TALKING, *arguments],
        capture_output=True, text=True, check=True, env={**os.environ, **environment},
    )  # fmt: skip
    return done.stdout, done.stderr


def test_tools_are_not_heard() -> None:
    assert _run() == ("before\nafter\n", "")


def test_both_streams_are_there_again_after_an_error() -> None:
    assert _run("fail") == ("before\nafter\n", "caught wrong\n")


def test_debugging_shows_them() -> None:
    out, err = _run(SKERRY_DEBUG="1")
    assert "raw" in out
    assert "process" in err
