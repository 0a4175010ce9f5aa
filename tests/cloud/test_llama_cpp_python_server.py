"""llama-cpp-python's own server takes text for prompts, never ids: it is refused, and told why."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.errors import TargetError

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("starlette_context") is None,
    reason="llama-cpp-python's server is not installed (pip install skerry[bench])",
)


@pytest.fixture
def url(smollm2: Path) -> Iterator[str]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = str(bound.getsockname()[1])
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llama_cpp.server", "--port", port, "--n_ctx", "64"),
            *("--model", str(smollm2)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    late = time.monotonic() + 120
    while time.monotonic() < late and process.poll() is None:
        try:
            httpx2.get(f"{url}/v1/models", timeout=5)
        except httpx2.TransportError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")


def test_it_is_refused(url: str, smollm2: Path) -> None:
    with pytest.raises(TargetError, match="valid string") as caught:
        CompletionsVerifier.connect(EndpointOptions(url=url), smollm2)
    assert "vLLM" in caught.value.hint
