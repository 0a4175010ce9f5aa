"""A gateway that is told to stop lets answers end, takes no more, and forgets no token."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from skerry.cloud.gateway.state import opened
from tests.cloud.gateway.configured import BASE, USER
from tests.cloud.gateway.upstreams import upstream

COMMAND = (sys.executable, "-m", "skerry.edge.cli", "cloud", "serve", "--port", "0", "--json")
ASKED = {"model": "mid", "messages": [{"role": "user", "content": "a"}], "stream": True}
SHOWN = {"authorization": f"Bearer {USER}"}


@pytest.mark.parametrize(("drain_s", "ends"), [(20.0, True), (1.0, False)])
def test_answers_under_way_have_a_while(tmp_path: Path, drain_s: float, ends: bool) -> None:
    config = tmp_path / "gateway.toml"
    with upstream(pause_s=1.0, endless=not ends) as fake:
        text = BASE.replace("http://127.0.0.1:1/v1", fake.url)
        config.write_text(f"{text}[limits]\ndrain_seconds = {drain_s}\n")
        clean = {name: value for name, value in os.environ.items() if "SKERRY" not in name}
        process = subprocess.Popen(
            [*COMMAND, "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean,
        )
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        client = httpx2.Client(base_url=url, headers=SHOWN, timeout=30)
        lines = list[str]()
        with client, client.stream("POST", "/v1/chat/completions", json=ASKED) as answer:
            read = answer.iter_lines()
            lines.append(next(read))
            process.send_signal(signal.SIGTERM)
            lines += list(read)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert any('"code":"stopping"' in line for line in lines) is not ends
    assert ("data: [DONE]" in lines) is ends
    state = opened("gateway.db", tmp_path)
    (use,) = state.usage("")
    state.close()
    assert use.completion_tokens == 3 if ends else use.completion_tokens >= 1
