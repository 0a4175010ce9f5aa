"""The plugin's routes on a port of their own, over a simulated target in place of vLLM's engine:
what vLLM would do with the drafts is done by the rule that the plugin uses there."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from skerry.cloud.engines.vllm.plugin import PROPOSER, SCHEDULER, TESTED
from skerry.cloud.engines.vllm.plugin.asked import asked_of
from skerry.cloud.engines.vllm.plugin.routes import HintRoutes
from skerry.cloud.hints.tree import chain
from skerry.cloud.hints.verdict import judged
from tests.cloud.fake_completions import MODEL, Fake, text_route
from tests.cloud.simulated import END, logits


class FakeEngine:
    """vLLM's `EngineClient`, as far as it is used. `deaf` looks at no draft."""

    def __init__(self, *, scheduler: str = SCHEDULER, deaf: bool = False) -> None:
        self.deaf = deaf
        self.prompts: list[list[int]] = []
        self.vllm_config = SimpleNamespace(
            scheduler_config=SimpleNamespace(scheduler_cls=scheduler),
            speculative_config=SimpleNamespace(model=PROPOSER, num_speculative_tokens=16),
        )

    async def generate(self, prompt: Any, params: Any, _request: str) -> AsyncIterator[Any]:
        """One pass."""
        tokens = prompt["prompt_token_ids"]
        self.prompts.append(tokens)
        if len(tokens) > 512:
            raise ValueError("the prompt is too long")
        asked = asked_of(params)
        assert asked is not None
        draft = () if self.deaf else asked.draft
        said = judged(
            chain(draft),
            lambda node: logits([*tokens, *draft[: node + 1]]),
            asked.sampling,
            len(tokens),
            generated=tokens[len(tokens) - asked.generated :],
            ends=frozenset({*asked.ends, END}),
        ).tokens
        ended = said[-1] in {*asked.ends, END}
        made = SimpleNamespace(token_ids=said, finish_reason="stop" if ended else "length")
        yield SimpleNamespace(outputs=[made])


@contextmanager
def plugged(
    engine: FakeEngine, patch: pytest.MonkeyPatch, version: str = TESTED
) -> Iterator[tuple[str, HintRoutes]]:
    """The base URL, and the routes."""
    vllm = ModuleType("vllm")
    vllm.__version__ = f"{version}+cpu"  # type: ignore[attr-defined]
    vllm.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "vllm", vllm)
    app, routes = FastAPI(), HintRoutes()
    routes.attach_router(app)

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        await routes.init_state(engine, None, None)
        return {"data": [{"id": MODEL, "owned_by": "vllm", "max_model_len": 512}]}

    @app.post("/v1/completions")
    async def completions(body: dict[str, Any]) -> dict[str, Any]:
        said = [int(logits(prompt).argmax()) for prompt in body["prompt"]]
        tokens = [{"tokens": [f"token_id:{one}"]} for one in said]
        return {"choices": [{"index": i, "logprobs": one} for i, one in enumerate(tokens)]}

    @app.post("/tokenize")
    async def tokenize(body: dict[str, Any]) -> dict[str, Any]:
        said, _ = text_route("/tokenize", body, Fake()) or ({}, None)
        return said

    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    bound = socket.socket(proto=socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}", routes
    finally:
        server.should_exit = True
        thread.join()
