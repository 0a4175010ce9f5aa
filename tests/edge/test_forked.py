"""A process that is forked from one that used a runtime: it hears what is wrong, and it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")

FORKS = """
import os, sys
from skerry.edge import Runtime
from skerry.edge.engines import Generation
from skerry.edge.errors import Closed, ModelError

def hello(runtime):
    return "".join(piece.text for piece in runtime.complete(Generation("Hello", max_tokens=2)))

def refused(what, error):
    try:
        what()
    except error as caught:
        return "forked" in caught.what
    return False

runtime = Runtime(offline=True, index="index.sqlite", state="state.sqlite")
runtime.ask("Say hello.", max_tokens=2)
with runtime.parts.engine() as engine:
    pid = os.fork()
    if pid == 0:
        generation = Generation(prompt="Hello", max_tokens=2)
        right = (
            refused(lambda: runtime.ask("Say hello."), Closed),
            refused(lambda: runtime.index, Closed),
            refused(lambda: engine.generate(generation), ModelError),
        )
        runtime.close()
        sys.exit(0 if all(right) else 1)
    _, status = os.waitpid(pid, 0)
runtime.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.model
def test_a_child_is_told_and_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS],
        check=False,
        cwd=tmp_path,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
