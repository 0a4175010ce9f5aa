"""Whether the answer is the target's: the real model behind `skerry cloud serve`, with drafts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.split_cases import CONTEXT, Case
from benchmarks.split_cloud import KEY
from benchmarks.split_device import hinted
from benchmarks.split_drafting import Drafters
from skerry.cloud.hints.prefix import common


def identical(cases: Sequence[Case], make: Drafters) -> float:
    """The share of tokens that are those of the target alone, one answer at a time."""
    same = total = 0
    with _served() as url:
        for case in cases:
            alone = case.guesses.answer
            said = hinted(url, case.opening, make(case.preview)).tokens
            same += common(said, alone)
            total += max(len(said), len(alone))
    return same / total


@contextmanager
def _served() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        key_file.write_text(KEY)
        key_file.chmod(0o600)
        process = subprocess.Popen(
            [sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--json", "--port", "0",
             "--threads", "1", "--sessions", "2", "--context-tokens", str(CONTEXT),
             "--api-key-file", str(key_file)],
            env={**os.environ, "SKERRY_MODELS_DIR": str(Path(folder) / "none")},
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(timeout=30)
