"""Ctrl-C: a word, exit code 130, and nothing half written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="no pseudo-terminals here")

from skerry.edge.cli import ending
from tests.edge.cli.conftest import COMMAND
from tests.edge.cli.terminal import CTRL_C, Terminal

pytestmark = pytest.mark.model

HANDBOOK = Path(__file__).parents[3] / "edge" / "demo" / "handbook"
QUESTION = "Explain how nurses should treat the pain of patients on anticoagulants, and why."

Open = Callable[..., Terminal]


@pytest.fixture(scope="module")
def at_terminal(home: Path, environment: dict[str, str]) -> Open:
    def start(*arguments: str) -> Terminal:
        return Terminal((*COMMAND, *arguments), env=environment, cwd=home)

    return start


def ended_cleanly(terminal: Terminal) -> None:
    assert terminal.end() == 130, terminal.screen.decode(errors="replace")
    assert b"\r\ninterrupted\r\n" in terminal.screen
    for fault in (b"Traceback", b"Exception ignored", b"fault of Skerry"):
        assert fault not in terminal.screen


@pytest.mark.parametrize("times", [1, 2, 4])
def test_in_the_middle_of_an_answer(skerry, at_terminal: Open, times: int) -> None:
    assert skerry("index", "add", str(HANDBOOK)).code == 0
    terminal = at_terminal("ask", QUESTION, "--offline", "--json", "--stream")
    terminal.wait_for('"event": "sources"')
    time.sleep(0.5)  # the model is loaded and reads the prompt
    for _ in range(times):
        terminal.type(CTRL_C)
        time.sleep(0.1)
    ended_cleanly(terminal)
    assert skerry("receipts", "--json").code == 0


def test_while_documents_are_indexed(skerry, at_terminal: Open, tmp_path: Path) -> None:
    for number in range(200):
        text = f"# Document {number}\n\n" + "The pump is checked every day by the nurse. " * 60
        (tmp_path / f"{number:03}.md").write_text(text)
    terminal = at_terminal("index", "add", str(tmp_path), "--index", "interrupted.sqlite")
    terminal.wait_for("/200")
    terminal.type(CTRL_C)
    ended_cleanly(terminal)
    assert terminal.screen.rindex(b"\x1b[?25h") > terminal.screen.rindex(b"\x1b[?25l")
    assert skerry("index", "verify", "--index", "interrupted.sqlite").code == 0
    listed = skerry("index", "ls", "--index", "interrupted.sqlite", "--json").json["documents"]
    assert len(listed) < 200
    assert all(document["chunks"] for document in listed)


@pytest.mark.parametrize("typed", [b"", b"half a quest"])
def test_at_the_prompt_of_a_chat(at_terminal: Open, typed: bytes) -> None:
    terminal = at_terminal("chat")
    terminal.wait_for("› ")
    time.sleep(0.3)  # Python prints the prompt first, and notices signals once it waits for a line
    terminal.type(typed)
    terminal.type(CTRL_C)
    ended_cleanly(terminal)


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.6, 0.8])
def test_while_a_server_starts(at_terminal: Open, seconds: float) -> None:
    terminal = at_terminal("serve", "--port", "0")
    time.sleep(seconds)
    terminal.type(CTRL_C)
    if terminal.end() == 0:  # it was serving already
        return
    assert b"Exception ignored" not in terminal.screen


def test_terminated_is_told_apart(home: Path, environment: dict[str, str]) -> None:
    with subprocess.Popen(
        (*COMMAND, "chat", "--offline"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=home,
    ) as process:
        time.sleep(2)  # it waits for a question
        process.terminate()
        assert process.wait(30) == 143


IMPORTS = """
import os, signal, sys
from importlib.abc import MetaPathFinder

from skerry.edge.cli.app import run


class Interrupts(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "onnxruntime":
            sys.modules[name] = None
            try:
                os.kill(os.getpid(), number)
                signal.pause()
            except KeyboardInterrupt as interrupted:  # as pybind11 does
                raise ImportError("initialization failed") from interrupted


number = int(sys.argv[1])
sys.meta_path.insert(0, Interrupts())
sys.argv = ["skerry", "route", "--offline", "How often is the trolley checked?"]
run()
"""


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (KeyboardInterrupt(), signal.SIGINT),
        (ending.Terminated(), signal.SIGTERM),
        (ValueError("no"), 0),
    ],
)
def test_what_a_library_makes_of_a_signal_is_still_one(error: BaseException, number: int) -> None:
    made = ImportError("initialization failed")
    made.__cause__ = error
    assert ending.signal_of(made) == number
    above = RuntimeError("no encoder")
    above.__context__ = made
    assert ending.signal_of(above) == number
    made.__cause__ = above  # a circle ends
    assert ending.signal_of(made) == 0


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_while_a_library_is_imported(
    home: Path, environment: dict[str, str], number: int, code: int, said: str
) -> None:
    done = subprocess.run(
        (sys.executable, "-c", IMPORTS, str(int(number))),
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.split()) == (code, [said])
