"""A program ends as it should, whatever its threads are doing in native code, and so does a child
that was forked meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from skerry.edge.leaving import _Work, worked, working

HANDBOOK = Path(__file__).parents[2] / "edge" / "demo" / "handbook"
DAEMONS = """
import sys, threading, time
from skerry.edge import Runtime

QUESTION = "Explain how nurses should treat the pain of patients on anticoagulants, and why."


def ask() -> None:
    while True:
        runtime.ask(QUESTION)


runtime = Runtime(offline=True, index=sys.argv[1], state=sys.argv[1] + ".state")
runtime.index.add([sys.argv[2]])
runtime.ask(QUESTION)
for _ in range(2):
    threading.Thread(target=ask, daemon=True).start()
time.sleep(float(sys.argv[3]))
print("ended", flush=True)
"""
BEGINS = """
from skerry.edge.encoder import OnnxEncoder

OnnxEncoder.load(threads=2).begin("some words to encode " * 200)
print("ended", flush=True)
"""
FORKS = """
import os, sys
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.errors import Closed

encoder = OnnxEncoder.load(threads=2)
vector = encoder.begin("some words to encode " * 200)
pid = os.fork()
if pid == 0:
    refused = 0
    for what in (vector, lambda: encoder.encode(["hello"]), lambda: encoder.begin("hello")):
        try:
            what()
        except Closed:
            refused += 1
    sys.exit(refused)
vector()
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""

CLOSES = """
import threading, weakref
from skerry.edge.leaving import working

cancel, began = threading.Event(), threading.Event()


class Model:
    pass


def ask() -> None:
    with working(cancel):
        began.set()
        cancel.wait()
        print("left", flush=True)


model = Model()
weakref.finalize(model, print, "closed", flush=True)
threading.Thread(target=ask, daemon=True).start()
began.wait()
"""


def run(program: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.model
@pytest.mark.parametrize("after", ["0.3", "0.9"])
def test_daemon_threads_that_ask_let_the_process_end(tmp_path: Path, after: str) -> None:
    made = run(DAEMONS, str(tmp_path / "i.sqlite"), str(HANDBOOK), after)
    assert made == (0, "ended\n", "")


def test_models_are_closed_after_the_last_request() -> None:
    assert run(CLOSES) == (0, "left\nclosed\n", "")


def test_a_vector_that_nobody_asks_for_lets_the_process_end() -> None:
    assert run(BEGINS) == (0, "ended\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing is forked here")
def test_a_child_that_is_forked_while_its_parent_encodes_is_told() -> None:
    assert run(FORKS) == (0, "3\n", "")


def test_what_is_at_work_is_cancelled_and_waited_for() -> None:
    work, cancel, began = _Work(), threading.Event(), threading.Event()
    left: list[str] = []

    def ask() -> None:
        work.enter(cancel)
        began.set()
        cancel.wait()
        left.append("left")
        work.leave()

    threading.Thread(target=ask, daemon=True).start()
    began.wait()
    work.end()
    assert left == ["left"]


def test_the_main_thread_may_ask_while_the_interpreter_ends() -> None:
    work = _Work()
    work.end()
    work.enter(None)
    work.leave()


def test_one_within_another_counts_once() -> None:
    with working():
        with working():
            pass
        with working():
            pass


def test_closing_closes_what_is_worked_on() -> None:
    closed: list[str] = []

    def items() -> Generator[int, None, None]:
        try:
            yield from range(5)
        finally:
            closed.append("closed")

    made = worked(items(), threading.Event())
    assert next(made) == 0
    made.close()
    assert closed == ["closed"]
