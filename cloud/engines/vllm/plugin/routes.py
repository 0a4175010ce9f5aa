"""Routes of vLLM's server for the cloud tier: they hold each session's context, so that only new
tokens travel. They are below /v1, which vLLM's API key guards.

An entry point of `vllm.endpoint_plugins`, loaded where VLLM_PLUGINS names `skerry`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from skerry.cloud.contexts import Contexts, NoContext
from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin import HEAR, PROPOSER, SCHEDULER, version_fault
from skerry.cloud.engines.vllm.plugin.asked import Asked

_MOST_BRANCHES = 16
_MOST_BODY_BYTES = 4 << 20
_MOST_REASON_BYTES = 120
_MOST_TELLING = 32
"""Hints on their way to the scheduler."""
_RUN_S = 10.0
"""Within which a run is asked for once its WebSocket is open."""


class HintRoutes:
    """See `vllm.plugins.endpoint_plugins.interface.EndpointPlugin`."""

    name = "skerry"
    required_tasks = ("generate",)

    def __init__(self) -> None:
        self._contexts = Contexts()
        self._engine: Any = None
        self._facts = wire.PluginFacts(wire.VERSION, "", 0, "the server is starting")

    def attach_router(self, app: FastAPI) -> None:
        app.add_api_route(f"/v1{wire.FACTS_PATH}", self._say, methods=["GET"])
        app.add_api_route(f"/v1{wire.LOOK_PATH}", self._look, methods=["POST"])
        app.add_api_websocket_route(f"/v1{wire.RUN_PATH}", self._run)

    async def init_state(self, engine_client: Any, _state: Any, _args: Any) -> None:
        self._engine = engine_client
        self._facts = facts_of(engine_client.vllm_config)

    async def _say(self) -> Response:
        return Response(msgspec.json.encode(self._facts), media_type="application/json")

    async def _look(self, request: Request) -> Response:
        if self._facts.why:
            return _fault(501, self._facts.why)
        try:
            look = msgspec.msgpack.decode(await _body(request), type=wire.Look)
            whole = self._contexts.whole("", look.session, look.kept, look.tokens)
            seen = await self._seen(look, list(whole))
        except NoContext as error:
            return _fault(409, error.what)
        except (msgspec.MsgspecError, ValueError) as error:
            return _fault(400, str(error))
        self._contexts.keep("", look.session, (*whole, *seen.tokens))
        return Response(wire.packed(seen), media_type=wire.MEDIA_TYPE)

    async def _seen(self, look: wire.Look, whole: list[int]) -> wire.Seen:
        """Of several branches, that of which most is chosen."""
        branches = look.branches[:_MOST_BRANCHES] or ((),)
        seen = await asyncio.gather(*(self._pass(look, whole, one) for one in branches))
        return max(seen, key=lambda one: one.drafted)

    async def _pass(self, look: wire.Look, whole: list[int], draft: tuple[int, ...]) -> wire.Seen:
        asked = Asked(draft, look.choosing, look.generated, look.ends)
        passes = [seen async for seen in self._passes(whole, asked, len(draft) + 1)]
        tokens = tuple(token for seen in passes for token in seen.tokens)
        return wire.Seen(tokens, len(tokens) - 1, passes[-1].ended)

    async def _run(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            await self._served(socket)
        except NoContext as error:
            await _close(socket, 409, error.what)
        except (msgspec.MsgspecError, ValueError, KeyError, TimeoutError) as error:
            await _close(socket, 400, str(error))
        except WebSocketDisconnect:
            pass

    async def _served(self, socket: WebSocket) -> None:
        if self._facts.why:
            await _close(socket, 501, self._facts.why)
            return
        async with asyncio.timeout(_RUN_S):
            run = msgspec.msgpack.decode(await socket.receive_bytes(), type=wire.Run)
        look, name = run.look, uuid4().hex
        whole = list(self._contexts.whole("", look.session, look.kept, look.tokens))
        draft = (look.branches or ((),))[0]
        asked = Asked(draft, look.choosing, look.generated, look.ends, name, run.at)
        hearing = asyncio.create_task(self._hear(socket, name))
        try:
            await self._tell(socket, whole, asked, run.most, hearing)
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)
            self._contexts.keep("", look.session, whole)
        await _close(socket, 0)

    async def _tell(
        self,
        socket: WebSocket,
        whole: list[int],
        asked: Asked,
        most: int,
        hearing: asyncio.Task[None],
    ) -> None:
        """Sends each pass, and adds its tokens to `whole`; ends when nobody listens any more."""
        passes = self._passes(list(whole), asked, most)
        try:
            while True:
                following = asyncio.ensure_future(anext(passes, None))
                await asyncio.wait({following, hearing}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()  # vLLM aborts the request then
                    await asyncio.gather(following, return_exceptions=True)
                    hearing.result()
                    return
                if (seen := following.result()) is None:
                    return
                whole += seen.tokens
                await socket.send_bytes(wire.packed(seen))
        finally:
            await passes.aclose()

    async def _hear(self, socket: WebSocket, name: str) -> None:
        """Passes hints on to the scheduler, until there is nobody to say any. It takes them between
        two steps, all that there are: none is waited for."""
        core, telling = self._engine.engine_core, set[asyncio.Task[None]]()
        try:
            while True:
                data = await socket.receive_bytes()
                msgspec.msgpack.decode(data, type=wire.Heard).hint()
                telling.add(asyncio.create_task(core.call_utility_async(HEAR, name, data)))
                if len(telling) > _MOST_TELLING:
                    _, telling = await asyncio.wait(telling, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in telling:
                task.cancel()

    async def _passes(self, whole: list[int], asked: Asked, most: int) -> AsyncGenerator[wire.Seen]:
        """What each forward pass gives, for `most` tokens at most."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        params = SamplingParams(
            temperature=0.0,
            max_tokens=most,
            stop_token_ids=list(asked.ends),
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            extra_args=asked.extra_args(),
        )
        prompt = {"prompt_token_ids": whole}
        outputs = self._engine.generate(prompt, params, f"skerry-{uuid4().hex}")
        try:
            async for output in outputs:
                made = output.outputs[0]
                if tokens := tuple(made.token_ids):
                    yield wire.Seen(tokens, len(tokens) - 1, made.finish_reason == "stop")
        finally:
            await outputs.aclose()


def facts_of(config: Any) -> wire.PluginFacts:
    """What the plugin can do in a server with this `VllmConfig`."""
    from vllm import __version__

    spec = config.speculative_config
    why = version_fault(__version__)
    if not why and config.scheduler_config.scheduler_cls != SCHEDULER:
        why = f"start vLLM with --scheduler-cls {SCHEDULER}"
    if not why and (spec is None or spec.model != PROPOSER):
        why = f"start vLLM with --speculative-config and the model {PROPOSER}"
    drafts = 0 if why or spec is None else int(spec.num_speculative_tokens)
    return wire.PluginFacts(wire.VERSION, __version__, drafts, why)


async def _body(request: Request) -> bytes:
    """Raises ValueError: it is too large."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > _MOST_BODY_BYTES:
            raise ValueError(f"more than {_MOST_BODY_BYTES} bytes")
    return bytes(data)


async def _close(socket: WebSocket, status: int, why: str = "") -> None:
    """With the code 1000, or that of an HTTP status; who has gone already is no matter."""
    reason = why.encode()[:_MOST_REASON_BYTES].decode("utf-8", "ignore")
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close(wire.CLOSED + status if status else 1000, reason)


def _fault(status: int, what: str) -> Response:
    body = msgspec.json.encode({"error": {"message": what}})
    return Response(body, status_code=status, media_type="application/json")
