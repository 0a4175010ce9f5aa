"""Runs one measurement in a process of its own; what goes wrong there is an error here."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skerry.export.measure.errors import MeasureFailed

_CHILD = "skerry.export.measure.child"
_TAIL = 400
_GIVE_WAY = {"GOMP_SPINCOUNT": "1000"}
"""Threads of llama.cpp that wait for each other sleep soon: docs/decisions/0008. Where other work
runs, decoding is several times as fast."""


def measured_in_child(part: str, request: Mapping[str, Any], *, timeout_s: float) -> Any:
    """The result of `part`.

    Raises:
        MeasureFailed: the process crashed, took longer than `timeout_s`, or says what is wrong.
    """
    with tempfile.TemporaryDirectory(prefix="skerry-measure-") as folder:
        out = Path(folder, "result.json")
        asked = json.dumps({**request, "part": part, "out": str(out)})
        code, said = _run(asked, part, timeout_s)
        try:
            found = json.loads(out.read_text("utf-8"))
        except (OSError, ValueError):
            raise _died(part, code, said) from None
    if "error" in found:
        raise MeasureFailed(found["error"]["what"], hint=found["error"]["hint"])
    return found["result"]


def _run(asked: str, part: str, timeout_s: float) -> tuple[int, str]:
    """Its exit code and what it said on standard error; its whole group ends with it."""
    process = subprocess.Popen(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        env={
            **_GIVE_WAY,
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )
    try:
        _, said = process.communicate(asked, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _end(process)
        raise MeasureFailed(
            f"measuring {part} took more than {timeout_s:g} s", hint="allow more time"
        ) from None
    except BaseException:
        _end(process)
        raise
    return process.returncode, said


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _died(part: str, code: int, said: str) -> MeasureFailed:
    last = said.strip()[-_TAIL:]
    if code < 0:
        why = signal.Signals(-code).name
        hint = "memory may be short" if why == "SIGKILL" else ""
        return MeasureFailed(f"measuring {part} was ended by {why}: {last}".rstrip(": "), hint=hint)
    return MeasureFailed(f"measuring {part} ended with code {code}: {last}".rstrip(": "))
