"""Routes of vLLM's server for the cloud tier: they hold each session's context, so that only new
tokens travel. They are below /v1, which vLLM's API key guards.

An entry point of `vllm.endpoint_plugins`, loaded where VLLM_PLUGINS names `skerry`.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import FastAPI, Request, Response

from skerry.cloud.contexts import Contexts, NoContext
from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin import PROPOSER, SCHEDULER, version_fault
from skerry.cloud.engines.vllm.plugin.asked import Asked

_MOST_BRANCHES = 16
_MOST_BODY_BYTES = 4 << 20


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
        from vllm import SamplingParams

        asked = Asked(draft, look.choosing, look.generated, look.ends)
        params = SamplingParams(
            temperature=0.0,
            max_tokens=len(draft) + 1,
            stop_token_ids=list(look.ends),
            detokenize=False,
            extra_args=asked.extra_args(),
        )
        prompt = {"prompt_token_ids": whole}
        outputs = self._engine.generate(prompt, params, f"skerry-{uuid4().hex}")
        made = [output.outputs[0] async for output in outputs][-1]
        tokens = tuple(made.token_ids)
        return wire.Seen(tokens, len(tokens) - 1, made.finish_reason == "stop")


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


def _fault(status: int, what: str) -> Response:
    body = msgspec.json.encode({"error": {"message": what}})
    return Response(body, status_code=status, media_type="application/json")
