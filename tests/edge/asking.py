"""What the runtime's tests ask with: a question, a sure router, a cloud that says as it is told."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from skerry.edge.types import Classification, RequestClass

QUESTION = "How often is the emergency trolley checked?"


class FixedRouter:
    """Says always the same class: these tests are about what follows from it."""

    def __init__(self, request_class: RequestClass, *, complexity: float = 0.1) -> None:
        self._seen = Classification(request_class, 0.95, complexity, 0.1, 0.99)

    def classify(self, vector: object, text: str) -> Classification:
        return self._seen


def route_as(request_class: RequestClass, **more: Any) -> dict[str, Any]:
    return {"router": FixedRouter(request_class, **more)}


class Cloud:
    """An OpenAI-compatible server that says what it is told, and keeps what it was sent."""

    def __init__(self, text: str, status: int = 200) -> None:
        self.text, self.status = text, status
        self.bodies: list[dict[str, Any]] = []
        self.received_bytes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                cloud.bodies.append(json.loads(body))
                cloud.received_bytes += len(body)
                self.send_response(cloud.status)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                for word in cloud.text.split(" "):
                    delta = {"choices": [{"delta": {"content": f"{word} "}}]}
                    self.wfile.write(f"data: {json.dumps(delta)}\n\n".encode())
                last = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
                self.wfile.write(f"data: {json.dumps(last)}\n\ndata: [DONE]\n\n".encode())

            def log_message(self, *args: object) -> None:
                pass

        return Handler
