"""The plugin's routes on a port of their own, over a simulated target in place of vLLM's engine:
what vLLM would do with the drafts is done by the rule that the plugin uses there."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest
import uvicorn
from fastapi import FastAPI

from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin import HEAR, PROPOSER, SCHEDULER, TESTED
from skerry.cloud.engines.vllm.plugin.asked import Asked, asked_of
from skerry.cloud.engines.vllm.plugin.routes import HintRoutes
from skerry.cloud.engines.vllm.plugin.runs import Runs
from skerry.cloud.hints.tree import chain
from skerry.cloud.hints.verdict import judged
from tests.cloud.fake_completions import MODEL, Fake, text_route
from tests.cloud.simulated import END, logits


class FakeEngine:
    """vLLM's `EngineClient`, as far as it is used. `deaf` looks at no draft."""

    def __init__(self, *, scheduler: str = SCHEDULER, deaf: bool = False) -> None:
        self.deaf = deaf
        self.runs, self.engine_core = Runs(), self
        self.began = self.heard = 0
        """Runs that began, and hints that were heard."""
        self.prompts: list[list[int]] = []
        self.vllm_config = SimpleNamespace(
            scheduler_config=SimpleNamespace(scheduler_cls=scheduler),
            speculative_config=SimpleNamespace(model=PROPOSER, num_speculative_tokens=16),
        )

    async def generate(self, prompt: Any, params: Any, request: str) -> AsyncGenerator[Any]:
        """One pass, or, of a run, one after another."""
        tokens = list(prompt["prompt_token_ids"])
        self.prompts.append(tokens)
        if len(tokens) > 512:
            raise ValueError("the prompt is too long")
        asked = asked_of(params)
        assert asked is not None
        if not asked.run:
            yield _output(self._pass(asked, tokens, 0, asked.draft), asked, 0)
            return
        async for output in self._run(asked, tokens, params.max_tokens, request):
            yield output

    async def _run(
        self, asked: Asked, tokens: list[int], most: int, request: str
    ) -> AsyncIterator[Any]:
        self.runs.begin(request, asked)
        self.began += 1
        try:
            said = 0
            while said < most:
                draft = tuple(self.runs.draft(request, 16))
                found = self._pass(asked, tokens, said, draft)[: most - said]
                self.runs.advance(request, found)
                tokens += found
                said += len(found)
                yield _output(found, asked, most - said)
                if found[-1] in {*asked.ends, END}:
                    return
                await asyncio.sleep(0.002)
        finally:
            self.runs.end(request, asked)

    def _pass(
        self, asked: Asked, tokens: list[int], said: int, draft: tuple[int, ...]
    ) -> tuple[int, ...]:
        draft = () if self.deaf else draft
        return judged(
            chain(draft),
            lambda node: logits([*tokens, *draft[: node + 1]]),
            asked.sampling,
            len(tokens),
            generated=tokens[len(tokens) - asked.generated - said :],
            ends=frozenset({*asked.ends, END}),
        ).tokens

    async def call_utility_async(self, method: str, run: str, heard: bytes) -> None:
        """Of vLLM's client of the engine's process."""
        assert method == HEAR
        self.heard += 1
        self.runs.hear(run, msgspec.msgpack.decode(heard, type=wire.Heard).hint())


def _output(said: tuple[int, ...], asked: Asked, left: int) -> Any:
    """vLLM's `RequestOutput`, as far as it is used."""
    ended = said[-1] in {*asked.ends, END}
    reason = "stop" if ended else None if left else "length"
    return SimpleNamespace(outputs=[SimpleNamespace(token_ids=said, finish_reason=reason)])


@contextmanager
def plugged(
    engine: FakeEngine, patch: pytest.MonkeyPatch, version: str = TESTED
) -> Iterator[tuple[str, HintRoutes]]:
    """The base URL, and the routes."""
    vllm = ModuleType("vllm")
    vllm.__version__ = f"{version}+cpu"  # type: ignore[attr-defined]
    vllm.SamplingParams = SimpleNamespace  # type: ignore[attr-defined]
    params = ModuleType("vllm.sampling_params")
    params.RequestOutputKind = SimpleNamespace(DELTA=1)  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "vllm", vllm)
    patch.setitem(sys.modules, "vllm.sampling_params", params)
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
    bound.listen()  # who comes before the server has started waits
    thread = threading.Thread(target=lambda: server.run(sockets=[bound]))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}", routes
    finally:
        server.should_exit = True
        thread.join()
