"""What is wrong with a request to an engine, found before any work is done."""

from __future__ import annotations

import math
from collections.abc import Iterator

from skerry.edge.engines.base import Generation, Sampling
from skerry.edge.errors import ContextOverflow, InputError


def check_request(request: Generation) -> None:
    """Raises InputError for a request that no engine can use."""
    problem = next(_problems(request), None)
    if problem is not None:
        what, hint = problem
        raise InputError(what, hint=hint)


def check_fits(prompt_tokens: int, context_tokens: int) -> None:
    """Raises ContextOverflow unless the prompt and one token fit in the context."""
    if prompt_tokens + 1 > context_tokens:
        raise ContextOverflow(
            f"the prompt has {prompt_tokens} tokens; the context holds {context_tokens}",
            hint="shorten the prompt, or load the model with more context_tokens",
        )


def _problems(request: Generation) -> Iterator[tuple[str, str]]:
    if (request.messages is None) == (request.prompt is None):
        yield "a request needs either messages or a prompt", "give exactly one of the two"
    if request.messages is not None and not request.messages:
        yield "there are no messages", "give at least one message"
    if request.prompt is not None and not len(request.prompt):
        yield "the prompt is empty", "ask something"
    if request.max_tokens < 1:
        yield f"max_tokens is {request.max_tokens}", "ask for at least one token"
    if request.top_logprobs is not None and request.top_logprobs < 0:
        yield f"top_logprobs is {request.top_logprobs}", "give 0 or more, or leave it out"
    if any(not stop for stop in request.stop):
        yield "a stop string is empty", "leave the empty stop string out"
    yield from _sampling_problems(request.sampling)


def _sampling_problems(sampling: Sampling) -> Iterator[tuple[str, str]]:
    ranges = (
        ("temperature", sampling.temperature, 0.0, 1e3),
        ("top_k", sampling.top_k, 0, 2**31 - 1),
        ("top_p", sampling.top_p, 0.0, 1.0),
        ("min_p", sampling.min_p, 0.0, 1.0),
        ("repeat_penalty", sampling.repeat_penalty, 0.01, 100.0),
        ("frequency_penalty", sampling.frequency_penalty, -100.0, 100.0),
        ("presence_penalty", sampling.presence_penalty, -100.0, 100.0),
    )
    for name, value, low, high in ranges:
        if not (math.isfinite(value) and low <= value <= high):
            yield f"{name} is {value}", f"give a number from {low:g} to {high:g}"
