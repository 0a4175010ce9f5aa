"""What the benchmark of the gateway talks to, each in a process of its own:

`python -m benchmarks.gateway_servers upstream` answers at once, `… sessions CONFIG PASS_MS` is a
gateway whose model is simulated, with passes of that length. Each prints its URL when it is ready.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from skerry.cloud.engines.simulated import SimulatedVerifier
from skerry.cloud.gateway.app import Assembled
from skerry.cloud.gateway.load import load
from skerry.cloud.gateway.state import opened
from skerry.cloud.service import Service
from skerry.cloud.serving import serve
from skerry.cloud.simulate.paced import Pace, PacedVerifier
from skerry.edge.server import bind, url_of

_BODY = json.dumps(
    {
        "id": "chatcmpl-0",
        "object": "chat.completion",
        "model": "upstream",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 200}}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 700},
    }
).encode()
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_ANSWER = _HEAD % len(_BODY) + _BODY


class _Instant(asyncio.Protocol):
    """Reads requests with a Content-Length, and answers each with the same bytes."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + _length(self._held[:end].lower())
            if len(self._held) < whole:
                return
            self._held = self._held[whole:]
            self._transport.write(_ANSWER)


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def _upstream() -> None:
    server = await asyncio.get_running_loop().create_server(_Instant, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def _sessions(path: Path, pass_ms: float) -> None:
    config = load(path)
    verifier = PacedVerifier(SimulatedVerifier(), Pace(pass_ms=pass_ms))
    services = {name: Service(verifier) for name, one in config.models.items() if one.drafts}
    with bind("127.0.0.1", 0) as bound:
        parts = Assembled(config, opened(config.state, path.parent), services)
        serve(parts.app, bound, ready=lambda: print(url_of(bound), flush=True))


if __name__ == "__main__":
    if sys.argv[1] == "upstream":
        asyncio.run(_upstream())
    else:
        _sessions(Path(sys.argv[2]), float(sys.argv[3]))
