"""Chooses the tokens of the plugin's requests by Skerry's own rule, in place of vLLM's sampler.

The rule is `skerry.cloud.hints.choice`, the same as on the device and in the llama.cpp engine: at a
temperature above 0 the noise is the shared one, so the device can guess what is chosen, and the
output is fixed by the seed whoever drafted. vLLM sees these requests as greedy ones, and leaves
them alone otherwise. Greedy tokens are found where the logits are; others on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from skerry.cloud.engines.vllm.plugin.asked import Asked, asked_of
from skerry.cloud.hints.tree import chain
from skerry.cloud.hints.verdict import judged

_NOT_SAMPLED = -1  # PLACEHOLDER_TOKEN_ID of vLLM

Sample = Callable[[Any, Any, Any], Any]


def install(runner: Any) -> None:
    """Wraps `_sample` of vLLM's class of model runners, once."""
    if not hasattr(runner, "skerry_sample"):
        runner.skerry_sample = runner._sample
        runner._sample = wrapped(runner._sample)


def wrapped(sample: Sample) -> Sample:
    """`sample`, with the tokens of the plugin's requests put over those that it chose.

    Only they have drafts, so vLLM's rejection sampler has nothing to do: it is given the last row
    of each request, as where nothing is drafted. (On a CPU that sampler fails in 0.32.0 where one
    request is sampled with top-k, and reads temperatures that were never written.)
    """

    def chosen(runner: Any, logits: Any, drafted: Any) -> Any:
        if logits is None or drafted is None:
            return sample(runner, logits, drafted)
        ours = list(_chosen(runner, logits, drafted))  # before vLLM writes into the logits
        return _joined(sample(runner, logits[drafted.bonus_logits_indices], None), ours)

    return chosen


def _joined(output: Any, ours: list[tuple[int, tuple[int, ...]]]) -> Any:
    """vLLM's `SamplerOutput` with the rows of `ours` in place of its own."""
    width = max((len(tokens) for _, tokens in ours), default=1)
    single = output.sampled_token_ids
    ids = single.new_full((len(single), width), _NOT_SAMPLED)
    ids[:, :1] = single
    for row, tokens in ours:
        ids[row] = _NOT_SAMPLED
        ids[row, : len(tokens)] = ids.new_tensor(tokens)
    logprobs = output.logprobs_tensors
    if logprobs is not None and width > 1:  # vLLM then wants as many rows as there are ids
        logprobs = logprobs._replace(
            logprob_token_ids=logprobs.logprob_token_ids.repeat_interleave(width, 0),
            logprobs=logprobs.logprobs.repeat_interleave(width, 0),
            selected_token_ranks=logprobs.selected_token_ranks.repeat_interleave(width, 0),
        )
    return replace(output, sampled_token_ids=ids, logprobs_tensors=logprobs)


def _chosen(runner: Any, logits: Any, drafted: Any) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The plugin's requests by their row, and the tokens that each gets."""
    ids = runner.input_batch.req_ids
    counts = drafted.num_draft_tokens
    looked_at = drafted.draft_token_ids.tolist()
    starts = accumulate(counts, initial=0)
    for row, (name, count, start) in enumerate(zip(ids, counts, starts, strict=False)):
        request = runner.requests[name]
        asked = asked_of(request.sampling_params)
        if asked is not None:
            own = logits[start + row : start + row + count + 1]
            draft = looked_at[start : start + count]
            said = request.output_token_ids
            yield row, tokens_of(asked, own, request.prompt_token_ids, said, draft)


def tokens_of(
    asked: Asked, logits: Any, prompt: list[int], said: list[int], draft: Sequence[int]
) -> tuple[int, ...]:
    """What is chosen after `prompt` and what was `said` since, where `draft` was looked at.

    `logits` [len(draft) + 1, vocabulary] are a tensor's: for the next token, and after each of the
    draft's.
    """
    sampling = asked.sampling
    if sampling.temperature == 0 and not sampling.penalizes:
        return _greedy(asked, logits.argmax(-1).tolist(), draft)
    rows = logits.float().cpu().numpy()
    verdict = judged(
        chain(draft),
        lambda node: rows[node + 1],
        sampling,
        len(prompt) + len(said),
        generated=[*prompt[len(prompt) - asked.generated :], *said],
        ends=frozenset(asked.ends),
    )
    return verdict.tokens


def _greedy(asked: Asked, best: list[int], draft: Sequence[int]) -> tuple[int, ...]:
    tokens: list[int] = []
    for token, drafted in zip(best, (*draft, None), strict=True):
        tokens.append(token)
        if token != drafted or token in asked.ends:
            break
    return tuple(tokens)
