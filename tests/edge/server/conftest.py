"""A real `skerry serve` in a process of its own, shared by the tests of the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import openai
import pytest

MODEL = "smollm2-135m-instruct"
_COMMAND = [sys.executable, "-c", "from skerry.edge.cli import main; main()", "serve", "--json"]


@dataclass(frozen=True)
class Server:
    """A server that is ready."""

    url: str
    key: str
    process: subprocess.Popen[str]

    def http(self, **headers: str) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.url,
            timeout=60,
            headers={"authorization": f"Bearer {self.key}", **headers},
        )

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, timeout=120
        )

    def metric(self, name: str) -> float:
        with self.http() as http:
            for line in http.get("/metrics").text.splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        raise AssertionError(f"no metric {name}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a command that keeps everything it writes in `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SKERRY_")}
    own = {
        "SKERRY_INDEX": str(folder / "index.sqlite"),
        "SKERRY_STATE": str(folder / "state.sqlite"),
        "SKERRY_API_KEY_FILE": str(folder / "key"),
        "SKERRY_CONFIG": str(folder / "config.toml"),
        "SKERRY_PORT": "0",
        "SKERRY_OFFLINE": "1",
    }
    (folder / "config.toml").touch()
    return {**clean, **own, **more}


def command(folder: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*_COMMAND, *options],
        env=environment(folder, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(folder: Path, *options: str, **variables: str) -> Iterator[Server]:
    process = command(folder, *options, **variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=30)[1]
        ready = json.loads(line)
        key = Path(ready["key_file"]).read_text().strip() if ready["key_file"] else ""
        yield Server(ready["url"], key, process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Loads the model when a test first asks it something."""
    folder = tmp_path_factory.mktemp("server")
    limits = ("--context-tokens", "1024", "--threads", "1", "--parallel", "4")
    with running(folder, "--lazy", "--max-body-mb", "12", *limits) as server:
        yield server


@pytest.fixture(scope="session")
def http(server: Server) -> Iterator[httpx2.Client]:
    with server.http() as client:
        yield client


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[openai.OpenAI]:
    with server.client() as client:
        yield client


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers of a test's own: `start("--waiting", "0", SKERRY_SEED="1")`."""
    with ExitStack() as stack:
        yield lambda *options, **variables: stack.enter_context(
            running(tmp_path, *options, **variables)
        )
