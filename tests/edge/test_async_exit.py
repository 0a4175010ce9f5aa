"""A program that stops to wait for an answer ends as any other, with no thread in native code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HANDBOOK = Path(__file__).parents[2] / "edge" / "demo" / "handbook"
LEAVES = """
import asyncio, sys
from contextlib import suppress
from skerry.edge import Runtime

QUESTION = "Explain how nurses should treat the pain of patients on anticoagulants, and why."


async def main(runtime: Runtime) -> None:
    async def ask() -> None:
        while True:
            await runtime.aask(QUESTION)

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(ask(), float(sys.argv[3]))


with Runtime(offline=True, index=sys.argv[1], state=sys.argv[1] + ".state") as runtime:
    runtime.index.add([sys.argv[2]])
    runtime.ask(QUESTION)
    asyncio.run(main(runtime))
print("ended")
"""


@pytest.mark.model
@pytest.mark.parametrize("after", ["0.4", "0.7", "1.1"])
def test_an_answer_that_is_not_waited_for_lets_the_process_end(tmp_path: Path, after: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES, str(tmp_path / "i.sqlite"), str(HANDBOOK), after],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
