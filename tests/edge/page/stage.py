"""The real server over a real index, with two parts that follow a script: the model, so that a test
knows what is answered and when, and the router, so that it knows where.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvicorn

from skerry.edge import Runtime
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.engines.base import FinishReason, Generation, ModelInfo, Piece, Usage
from skerry.edge.parts import Parts
from skerry.edge.server import ServerOptions, bind, connections, create_app, url_of
from skerry.edge.settings import Settings
from skerry.edge.types import Classification, RequestClass

KEY = "sk-test-0123456789abcdef"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@dataclass(frozen=True)
class Line:
    """What is answered to a question: pieces, with `pause_s` before each."""

    pieces: tuple[str, ...]
    request_class: RequestClass = RequestClass.QUESTION
    pause_s: float = 0.0


@dataclass
class Script:
    """Lines by question; the server reads it while a test may still write it."""

    lines: dict[str, Line] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def line(self, question: str) -> Line:
        return self.lines.get(question, Line(("I have no line for this.",), RequestClass.REASONING))


class ScriptedRouter:
    def __init__(self, script: Script) -> None:
        self._script = script

    def classify(self, vector: Any, question: str) -> Classification:
        return Classification(
            self._script.line(question).request_class,
            confidence=0.93,
            complexity=0.1,
            reasoning=0.1,
            in_scope=0.98,
        )


class ScriptedEngine:
    """The part of `Engine` that an answer needs."""

    info = ModelInfo(
        name="scripted",
        path=Path("scripted.gguf"),
        engine="scripted",
        architecture="none",
        parameters=0,
        size_bytes=0,
        context_tokens=4096,
        trained_context_tokens=4096,
        vocabulary=0,
        quantization="none",
        digest="0" * 64,
    )

    def __init__(self, script: Script) -> None:
        self._script = script

    def generate(self, request: Generation) -> Iterator[Piece]:
        assert request.messages
        prompt = str(request.messages[-1]["content"])
        question = next((one for one in self._script.lines if one in prompt), prompt)
        self._script.asked.append(question)
        line = self._script.line(question)
        for piece in line.pieces:
            if request.cancel.wait(line.pause_s):
                self._script.cancelled.set()
                yield Piece("", finish=FinishReason.CANCELLED, usage=_usage(line.pieces))
                return
            yield Piece(piece)
        yield Piece("", finish=FinishReason.STOP, usage=_usage(line.pieces))


def _usage(pieces: Sequence[str]) -> Usage:
    return Usage(120, 0, len(pieces), 10.0, 20.0, 0.0, 0, None)


class ScriptedParts(Parts):
    """The runtime's own parts, but for the two that follow the script."""

    def __init__(self, settings: Settings, script: Script, encoder: OnnxEncoder) -> None:
        super().__init__(settings)
        self._script = script
        self._encoder = encoder

    @property
    def encoder(self) -> OnnxEncoder:
        return self._encoder

    @property
    def router(self) -> Any:
        return ScriptedRouter(self._script)

    def engine(self, name: str | None = None) -> AbstractContextManager[Any]:
        return nullcontext(ScriptedEngine(self._script))


@dataclass
class Stage:
    """A running server; `script` may be written to while it runs."""

    url: str
    script: Script
    runtime: Runtime
    key: str = KEY

    @property
    def entrance(self) -> str:
        return f"{self.url}/#key={self.key}"


@contextmanager
def stage(
    folder: Path, documents: Sequence[Path], encoder: OnnxEncoder, **settings: Any
) -> Iterator[Stage]:
    """A server on a free port, over an index of `documents`."""
    script = Script()
    places = {"index": folder / "index.sqlite", "state": folder / "state.sqlite"}
    chosen = Settings(**{**places, "store_text": True, **settings})
    with ExitStack() as closing:
        runtime = Runtime.of(ScriptedParts(chosen, script, encoder))
        closing.callback(runtime.close)
        if documents:
            assert not runtime.index.add(documents).failed
        url = closing.enter_context(serving(runtime, ServerOptions(api_key=KEY)))
        yield Stage(url, script, runtime)


@contextmanager
def serving(runtime: Runtime, options: ServerOptions) -> Iterator[str]:
    """The address of a server in a thread of this process."""
    bound = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(runtime, options),
        http=connections.Connection,
        lifespan="off",
        log_config=None,
        limit_concurrency=connections.MOST_CONNECTIONS,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        _wait(lambda: server.started)
        yield url_of(bound)
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


def _wait(done: Any, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.01)


@dataclass
class Cloud:
    """An OpenAI-compatible service on this machine, and the bodies that it was sent."""

    url: str
    bodies: list[dict[str, Any]]


@contextmanager
def cloud(answer: str) -> Iterator[Cloud]:
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(_completion(answer))

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Cloud(f"http://127.0.0.1:{server.server_port}/v1", bodies)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _completion(answer: str) -> bytes:
    def chunk(delta: dict[str, str], finish: str | None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        fields = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "big"}
        return f"data: {json.dumps({**fields, 'choices': [choice]})}\n\n"

    parts = (chunk({"role": "assistant", "content": answer}, None), chunk({}, "stop"))
    return ("".join(parts) + "data: [DONE]\n\n").encode()
