"""A real vLLM server with a tiny model of random weights, where SKERRY_VLLM_PYTHON names a python
that has vLLM in it. `make_model` is run by that python."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from skerry.cloud.engines.vllm.plugin import PROPOSER, SCHEDULER
from tests.cloud.fake_completions import tokenizer_json

PYTHON = os.environ.get("SKERRY_VLLM_PYTHON", "")
WHY_NOT = "no vLLM: set SKERRY_VLLM_PYTHON to a python that has it (docs/targets.md)"
SIZE = 512
SECONDS = 300.0
_ROOT = Path(__file__).parents[2]
_QUIET = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
}
_ARGUMENTS = ("--enforce-eager", "--block-size", "32", "--dtype", "float32")
_SPECULATIVE = {"method": "custom_class", "model": PROPOSER, "num_speculative_tokens": 16}
PLUGIN = ("--scheduler-cls", SCHEDULER, "--speculative-config", json.dumps(_SPECULATIVE))
SMALL_STEPS = ("--max-num-batched-tokens", "64", "--max-num-seqs", "8")
"""A prompt of more than 64 tokens takes several steps, and a draft has to fit into the last."""


def made_model(folder: Path) -> Path:
    """A Hugging Face folder."""
    tokenizer_json(folder, SIZE)
    script = Path(__file__).with_name("tiny_llama.py")
    subprocess.run([PYTHON, str(script), str(folder), str(SIZE)], check=True, capture_output=True)
    return folder


@contextmanager
def serving(model: Path, work: Path, arguments: Sequence[str] = ()) -> Iterator[str]:
    """The base URL."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = str(bound.getsockname()[1])
    log = work / "vllm.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1"),
                *("--port", port, "--model", str(model), "--served-model-name", "tiny"),
                *_ARGUMENTS,
                *arguments,
            ],
            env={**os.environ, **_QUIET, **_environment(work)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def _environment(work: Path) -> dict[str, str]:
    """Skerry beside vLLM, as `pip install --no-deps skerry` there would put it."""
    declared = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    group = "vllm.endpoint_plugins"
    points = "".join(f"{a} = {b}\n" for a, b in declared["entry-points"][group].items())
    info = work / f"skerry-{declared['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: skerry\nVersion: {declared['version']}\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}")
    return {"PYTHONPATH": f"{_ROOT / 'src'}:{work}", "VLLM_PLUGINS": "skerry"}


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    late = time.monotonic() + SECONDS
    while time.monotonic() < late and process.poll() is None:
        try:
            if httpx2.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.5)
    raise RuntimeError(f"vLLM did not start:\n{log.read_text()[-4000:]}")
