"""vLLM's scheduler, which also has the draft of a request looked at when its prompt is done.

Named by `--scheduler-cls`. The draft is put after the prompt as vLLM's own speculative tokens: room
in the KV cache, rejection and metrics are vLLM's. A look ends after that pass; a run goes
on as any request does, and each of its passes looks at the hints that have come by then.
"""

from __future__ import annotations

from typing import Any

import msgspec
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.engine.core import EngineCore
from vllm.v1.request import RequestStatus

from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.plugin import HEAR, check_version
from skerry.cloud.engines.vllm.plugin.asked import asked_of
from skerry.cloud.engines.vllm.plugin.runs import Runs


class HintScheduler(Scheduler):  # type: ignore[misc]  # vLLM is not installed where this is checked
    """See `vllm.v1.core.sched.scheduler.Scheduler`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        check_version()
        super().__init__(*args, **kwargs)
        self.num_lookahead_tokens = self.num_spec_tokens  # custom_class reserves none by itself
        self.runs = Runs()
        setattr(EngineCore, HEAR, _hear)  # vLLM's way from the routes to the engine's process

    def add_request(self, request: Any) -> None:
        asked = asked_of(request.sampling_params)
        if asked is not None and asked.run:
            self.runs.begin(request.request_id, asked)
        super().add_request(request)

    def _free_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        asked = asked_of(request.sampling_params)
        if asked is not None and asked.run:
            self.runs.end(request.request_id, asked)
        return super()._free_request(request, *args, **kwargs)

    def _update_after_schedule(self, scheduler_output: Any) -> None:
        for request_id in list(scheduler_output.num_scheduled_tokens):
            padding = scheduler_output.scheduled_spec_decode_tokens.pop(request_id, [])
            _add(scheduler_output, request_id, -len(padding))  # vLLM pads to the longest draft
            count = scheduler_output.num_scheduled_tokens[request_id]
            room = self.max_num_scheduled_tokens - scheduler_output.total_num_scheduled_tokens
            draft = self._draft(self.requests[request_id], count)[:room]
            if draft:
                scheduler_output.scheduled_spec_decode_tokens[request_id] = draft
                _add(scheduler_output, request_id, len(draft))
        super()._update_after_schedule(scheduler_output)

    def _draft(self, request: Any, count: int) -> list[int]:
        """What is looked at after the `count` tokens of this step, where they are all there are."""
        asked = asked_of(request.sampling_params)
        done = request.num_computed_tokens + count == request.num_tokens
        if asked is None or not done:
            return []
        room = min(self.max_model_len - request.num_tokens - 1, self.num_spec_tokens)
        if asked.run:
            return self.runs.draft(request.request_id, max(0, room))
        return list(asked.draft[: max(0, room)])

    def _update_request_with_output(
        self, request: Any, new_token_ids: list[int], *args: Any, **kwargs: Any
    ) -> tuple[list[int], bool]:
        tokens, stopped = super()._update_request_with_output(
            request, new_token_ids, *args, **kwargs
        )
        asked = asked_of(request.sampling_params)
        if asked is not None and asked.run:
            self.runs.advance(request.request_id, tokens)
        elif tokens and not stopped and asked is not None:
            request.status = RequestStatus.FINISHED_LENGTH_CAPPED
            stopped = True
        return tokens, stopped


def _hear(core: Any, run: str, heard: bytes) -> None:
    """A packed hint, in the engine's process, between two steps."""
    core.scheduler.runs.hear(run, msgspec.msgpack.decode(heard, type=wire.Heard).hint())


def _add(scheduler_output: Any, request_id: str, count: int) -> None:
    scheduler_output.num_scheduled_tokens[request_id] += count
    scheduler_output.total_num_scheduled_tokens += count
