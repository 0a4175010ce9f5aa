"""A computation that hangs, and hears no signal: the command ends all the same."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

QUESTION = "Explain how nurses should treat the pain of patients on anticoagulants, and why."
STALLED = """
import ctypes, sys
from skerry.edge.cli import ending, main
from skerry.edge.engines.llama.native import NativeContext

def decode(self):
    print("stalled", file=sys.stderr, flush=True)
    return ctypes.CDLL(None).sleep(600)

NativeContext.decode = decode
ending.PATIENCE_S = 0.5
main()
"""


@contextmanager
def stalled(
    home: Path, environment: dict[str, str], *arguments: str
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", STALLED, *arguments],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return
    raise AssertionError(f"{word} was never said")


def send(process: subprocess.Popen[str], signals: Sequence[int]) -> None:
    for one in signals:
        process.send_signal(one)


@pytest.mark.parametrize(
    ("signals", "code"),
    [((signal.SIGTERM,), 143), ((signal.SIGINT,), 130), ((signal.SIGINT, signal.SIGTERM), 130)],
    ids=["SIGTERM", "SIGINT", "both"],
)
def test_a_question_ends(
    home: Path, environment: dict[str, str], signals: Sequence[int], code: int
) -> None:
    with stalled(home, environment, "ask", QUESTION, "--offline") as process:
        wait_for(process, "stalled")
        send(process, signals)
        assert process.wait(60) in {code, 143}


def test_a_server_ends_at_the_second_signal(home: Path, environment: dict[str, str]) -> None:
    places = ("--port", "0", "--json", "--lazy", "--no-api-key", "--offline")
    with stalled(home, environment, "serve", *places) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        body = {"model": "skerry", "messages": [{"role": "user", "content": QUESTION}]}
        client = "import sys, httpx2; httpx2.post(sys.argv[1], json=eval(sys.argv[2]), timeout=60)"
        asking = subprocess.Popen(
            [sys.executable, "-c", client, f"{url}/v1/chat/completions", repr(body)],
            stderr=subprocess.DEVNULL,
        )
        wait_for(process, "stalled")
        send(process, (signal.SIGTERM, signal.SIGTERM))
        assert process.wait(60) in {0, 143}
        asking.kill()
        asking.wait()
