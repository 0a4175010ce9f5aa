"""`/v1/split` with one key: one client leaves a place to the others."""

from __future__ import annotations

from contextlib import ExitStack

from websockets.sync.client import ClientConnection, connect

from skerry.cloud.hints.frames import (
    SUBPROTOCOL,
    VERSION,
    Fault,
    Open,
    Opened,
    read_cloud_frame,
    written,
)
from tests.cloud.serving import KEY, served
from tests.cloud.simulated import SimulatedVerifier

OPEN = Open(VERSION, "", b"", (1, 2, 3), max_tokens=2)


def _connected(stack: ExitStack, url: str, source: str) -> ClientConnection:
    return stack.enter_context(
        connect(
            url.replace("http", "ws") + "/v1/split",
            subprotocols=[SUBPROTOCOL],
            additional_headers={"authorization": f"Bearer {KEY}"},
            source_address=(source, 0),
        )
    )


def _opening(socket: ClientConnection) -> object:
    socket.send(written(OPEN))
    frame = socket.recv(timeout=20)
    assert isinstance(frame, bytes)
    return read_cloud_frame(frame)


def test_a_client_that_holds_connections_leaves_a_place_to_others() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(served(SimulatedVerifier(), places=3))
        idle = [_connected(stack, url, "127.0.0.1") for _ in range(4)]
        assert isinstance(_opening(_connected(stack, url, "127.0.0.2")), Opened)
        refused = _opening(idle[3])
        assert isinstance(refused, Fault)
        assert refused.code == "concurrency_exceeded"
