"""A cloud tier as a process: what it says, and to whom, when it is told to stop."""

from __future__ import annotations

import signal
import subprocess
import sys
from urllib.parse import urlsplit

from websockets.sync.client import connect

from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Fault,
    Open,
    Tokens,
    read_cloud_frame,
    written,
)

SERVER = """
import socket
from skerry.cloud.app import app
from skerry.cloud.engines.simulated import SimulatedVerifier
from skerry.cloud.service import Service
from skerry.cloud.serving import serve
from skerry.cloud.simulate.paced import Pace, PacedVerifier

bound = socket.create_server(("127.0.0.1", 0))
where = f"http://127.0.0.1:{bound.getsockname()[1]}"
slow = PacedVerifier(SimulatedVerifier(), Pace(pass_ms=50))
serve(app(Service(slow), "key"), bound, ready=lambda: print(where, flush=True), grace_s=1)
"""


def test_a_device_that_is_still_served_is_told_and_nothing_is_logged() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    where = urlsplit(process.stdout.readline().strip()).netloc
    with connect(
        f"ws://{where}/v1/split",
        additional_headers={"Authorization": "Bearer key"},
        subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
    ) as device:
        device.send(written(Open(VERSION, "", b"", (1, 2, 3), max_tokens=100_000)))
        frames = [read_cloud_frame(device.recv(timeout=20))]  # type: ignore[arg-type]
        process.send_signal(signal.SIGTERM)
        while not isinstance(frames[-1], Fault):
            frames.append(read_cloud_frame(device.recv(timeout=20)))  # type: ignore[arg-type]
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert frames[-1].code == "stopping"
    assert sum(isinstance(one, Tokens) for one in frames) > 2, "it was given a while"
