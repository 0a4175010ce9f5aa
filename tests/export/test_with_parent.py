"""A converter's process ends with who waits for it, and is run as it would be without."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skerry.export.with_parent import last_words, module_command, script_command

_SCRIPT = "import os, sys, time; print(os.getpid(), *sys.argv[1:], flush=True); time.sleep(60)"
_PARENT = """
import subprocess, sys
from pathlib import Path
from skerry.export.with_parent import script_command
subprocess.run(script_command(sys.executable, Path(sys.argv[1]), "a", "b"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(_SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(script)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    number, *given = parent.stdout.readline().split()
    assert given == ["a", "b"]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _ends(int(number))


def test_a_module_and_a_script_see_their_own_arguments(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'")
    script = tmp_path / "script.py"
    script.write_text("import sys, beside; print(__name__, sys.argv[1:], beside.NAME)")
    said = subprocess.check_output(script_command(sys.executable, script, "x"), text=True)
    assert said.split() == ["__main__", "['x']", "beside"]
    command = module_command("json.tool", "--compact", "-")
    done = subprocess.run(command, input='{"a": 1}', capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '{"a":1}'


@pytest.mark.parametrize(
    ("code", "said", "told"),
    [(1, "a\nb\n", "b"), (1, "", "no output"), (-signal.SIGKILL, "a warning", "SIGKILL")],
)
def test_why_a_process_failed(code: int, said: str, told: str) -> None:
    assert told in last_words(code, said)


def _ends(number: int) -> bool:
    for _ in range(100):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        if "Z" in Path(f"/proc/{number}/stat").read_text().split()[2]:
            return True  # ended, and nobody has asked for its result yet
        time.sleep(0.1)
    return False
