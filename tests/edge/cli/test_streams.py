"""Where output goes, and where it does not: pipes, closed streams, full disks, plain terminals."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge.cli.conftest import COMMAND, check_contract

pytestmark = pytest.mark.skipif(os.name != "posix", reason="asks a POSIX shell")

TEXT = "# Küche ☕\n\nThe “machine” in the Küche is descaled every 14 days by Müller 🩺.\n"
QUESTION = "How often is the machine descaled?"

Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def shell(home: Path, environment: dict[str, str]) -> Shell:
    """Runs a line of shell in which `"$@"` is the command."""

    def run(line: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line, "bash", *COMMAND],
            env={**environment, **env},
            cwd=home,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def kitchen(home: Path, skerry) -> Path:
    path = home / "kitchen.md"
    path.write_text(TEXT, encoding="utf-8")
    assert skerry("index", "add", str(path)).code == 0
    return path


@dataclass(frozen=True)
class Case:
    """A line of shell, its exit code, and what standard error says of it; empty for nothing."""

    line: str
    code: int = 0
    says: str = ""


CASES = [
    Case('"$@" models | true; exit ${PIPESTATUS[0]}'),
    Case('"$@" policy defaults | head -1; exit ${PIPESTATUS[0]}'),
    Case('"$@" receipts --json | true; exit ${PIPESTATUS[0]}'),
    Case('"$@" --help | true; exit ${PIPESTATUS[0]}'),
    Case('"$@" index ls >&-', 0, "there is no index"),
    Case('"$@" index ls --json >&-', 0, "there is no index"),
    Case('"$@" index ls <&- >&- 2>&-'),
    Case('"$@" frobnicate >&- 2>&-', 2),
    Case('"$@" ask <&-', 2, "empty"),
    Case('"$@" ask - <&-', 2, "empty"),
    Case('"$@" models >/dev/full', 1, "cannot be written: No space left"),
    Case('"$@" models --json >/dev/full', 1, "cannot be written: No space left"),
    Case('"$@" frobnicate 2>/dev/full', 2),
]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.line)
def test_nobody_reads_or_writes(shell: Shell, case: Case) -> None:
    done = shell(case.line)
    assert done.returncode == case.code, done.stderr
    assert case.says in done.stderr
    assert bool(done.stderr) is bool(case.says)
    for fault in ("Traceback", "Exception ignored", "fault of Skerry"):
        assert fault not in done.stderr


def test_a_closed_stream_gives_its_number_to_no_file(shell: Shell, tmp_path: Path) -> None:
    index, page = tmp_path / "index.sqlite", tmp_path / "a.txt"
    page.write_text("The boiler is serviced every October.")
    assert shell(f'"$@" index add {page} --index {index} <&- >&- 2>&-').returncode == 0
    assert shell(f'"$@" index verify --index {index}').returncode == 0


@pytest.mark.model
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_encoding_that_lacks_characters(shell: Shell, kitchen: Path, encoding: str) -> None:
    done = shell(f'"$@" ask "{QUESTION}" --receipt', PYTHONIOENCODING=encoding)
    assert "every 14 days" in done.stdout
    assert done.stderr == ""
    as_json = shell(f'"$@" ask "{QUESTION}" --json', PYTHONIOENCODING=encoding)
    assert as_json.returncode == 0, as_json.stderr
    printed = check_contract(json.loads(as_json.stdout))
    assert "Müller 🩺" in printed["answer"]


@dataclass(frozen=True)
class Look:
    name: str
    env: dict[str, str]
    plain: bool


LOOKS = [
    Look("colours", {"TERM": "xterm-256color"}, plain=False),
    Look("no colours wanted", {"TERM": "xterm-256color", "NO_COLOR": "1"}, plain=True),
    Look("no colours understood", {"TERM": "dumb"}, plain=True),
]


@pytest.mark.model
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_styles(home: Path, environment: dict[str, str], kitchen: Path, look: Look) -> None:
    from tests.edge.cli.terminal import Terminal

    env = {**environment, **look.env}
    command = (*COMMAND, "ask", QUESTION, "--no-receipt")
    terminal = Terminal(command, env=env, cwd=home, columns=40)
    assert terminal.end() == 0
    assert (b"\x1b" not in terminal.screen) is look.plain
    assert "Müller 🩺".encode() in terminal.screen
