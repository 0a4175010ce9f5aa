"""Several answers to one request (`n`): which seed each has, and who makes it.

What an answer is, and how it looks on the wire, is left to others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256

from skerry.edge.engines.base import Generation
from skerry.edge.receipts import TokenUsage
from skerry.edge.server.answers import NO_USAGE, Answering, Step, Whole, whole


def of_choice(wanted: Generation, number: int) -> Generation:
    """The generation of the choice `number`. The first is that of a request for one."""
    seed = _seed(wanted.sampling.seed, number)
    return replace(wanted, sampling=replace(wanted.sampling, seed=seed))


def _seed(seed: int | None, number: int) -> int | None:
    """A seed of 32 bits that hangs on both; None, where there is none, draws one."""
    if seed is None or number == 0:
        return seed
    return int.from_bytes(sha256(f"{seed}/{number}".encode()).digest()[:4])


def lanes(choices: Sequence[Answering], most: int) -> list[Answering]:
    """At most `most` iterators that together make every choice, each one after another of its own.

    Their steps say in `choice` whose they are.
    """
    numbered = list(enumerate(choices))
    return [partial(_in_turn, numbered[start::most]) for start in range(min(most, len(numbered)))]


def _in_turn(choices: Sequence[tuple[int, Answering]]) -> Iterator[Step]:
    for number, answering in choices:
        for step in answering():
            yield replace(step, choice=number)


def wholes(steps: Sequence[Step], count: int) -> list[Whole]:
    """Each of `count` choices, put together."""
    return [whole([step for step in steps if step.choice == one]) for one in range(count)]


def usage_of(usages: Sequence[TokenUsage | None]) -> TokenUsage | None:
    """What the choices of one prompt took: the prompt counts once, as OpenAI has it. None where
    nobody counted."""
    if not any(usages):
        return None
    first = usages[0] or NO_USAGE
    completion = sum(usage.completion_tokens for usage in usages if usage)
    return replace(first, completion_tokens=completion)
