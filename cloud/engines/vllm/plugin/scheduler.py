"""vLLM's scheduler, which also has the draft of a request looked at when its prompt is done.

Named by `--scheduler-cls`. The draft is put after the prompt as vLLM's own speculative tokens: room
in the KV cache, rejection and metrics are vLLM's. A request of the plugin's ends after that pass.
"""

from __future__ import annotations

from typing import Any

from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.request import RequestStatus

from skerry.cloud.engines.vllm.plugin import check_version
from skerry.cloud.engines.vllm.plugin.asked import asked_of


class HintScheduler(Scheduler):  # type: ignore[misc]  # vLLM is not installed where this is checked
    """See `vllm.v1.core.sched.scheduler.Scheduler`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        check_version()
        super().__init__(*args, **kwargs)
        self.num_lookahead_tokens = self.num_spec_tokens  # custom_class reserves none by itself

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
        """The draft of a request whose prompt is done with the `count` tokens of this step."""
        asked = asked_of(request.sampling_params)
        done = request.num_computed_tokens + count == request.num_tokens
        if asked is None or request.num_output_tokens or not done:
            return []
        room = self.max_model_len - request.num_tokens - 1
        return list(asked.draft[: max(0, min(room, self.num_spec_tokens))])

    def _update_request_with_output(
        self, request: Any, new_token_ids: list[int], *args: Any, **kwargs: Any
    ) -> tuple[list[int], bool]:
        tokens, stopped = super()._update_request_with_output(
            request, new_token_ids, *args, **kwargs
        )
        if tokens and not stopped and asked_of(request.sampling_params) is not None:
            request.status = RequestStatus.FINISHED_LENGTH_CAPPED
            stopped = True
        return tokens, stopped


def _add(scheduler_output: Any, request_id: str, count: int) -> None:
    scheduler_output.num_scheduled_tokens[request_id] += count
    scheduler_output.total_num_scheduled_tokens += count
