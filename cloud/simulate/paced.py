"""A target whose passes take as long as a larger model's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from skerry.cloud.engines.base import Pass, Target, TargetFacts, Verifier, Words, words_of
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A pass takes `pass_ms`, and `hint_ms` for each drafted token that it looks at; the first one
    also `prompt_ms` for each token of the prompt that was not held."""

    pass_ms: float
    hint_ms: float = 0.0
    prompt_ms: float = 0.0


class PacedTarget:
    """See `skerry.cloud.engines.base.Target`."""

    def __init__(
        self, target: Target, pace: Pace, prompt: int, was_late: Callable[[], None]
    ) -> None:
        self._target, self._pace, self._was_late = target, pace, was_late
        self._feed = prompt - target.cached

    @property
    def cached(self) -> int:
        return self._target.cached

    async def look(self, tree: Tree) -> Pass:
        began = time.perf_counter()
        result = await self._target.look(tree)
        pace = self._pace
        least_ms = pace.pass_ms + pace.hint_ms * len(tree) + pace.prompt_ms * self._feed
        self._feed = 0
        left = began + least_ms / 1e3 - time.perf_counter()
        if left < 0:
            self._was_late()
        await asyncio.sleep(max(0.0, left))
        return replace(result, seconds=time.perf_counter() - began)

    async def close(self) -> None:
        await self._target.close()


class PacedVerifier:
    """A verifier around another one: the same tokens, each pass no sooner than `pace` says.

    What the other one computes counts inside the pass, so that the pace is exact where it is the
    slower of the two; `late` is how many passes it could not keep.
    """

    def __init__(self, verifier: Verifier, pace: Pace) -> None:
        self._verifier, self._pace = verifier, pace
        self.late = 0

    @property
    def facts(self) -> TargetFacts:
        return self._verifier.facts

    @property
    def words(self) -> Words | None:
        return words_of(self._verifier)

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> PacedTarget:
        target = await self._verifier.open(tokens, sampling, generated=generated, ends=ends)
        return PacedTarget(target, self._pace, len(tokens), self._was_late)

    async def close(self) -> None:
        await self._verifier.close()

    def _was_late(self) -> None:
        self.late += 1
