"""A target without a model: its next token is a hash of seed, position and the token before.

For tests of load and of protocols: a pass costs microseconds, thousands of sequences fit, and
anybody who knows the sequence can say what comes next (`next_token`). Filters and penalties change
nothing. `skerry.cloud.simulate.paced` makes its passes as slow as a model's.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence

from skerry.cloud.engines.base import Pass, TargetFacts
from skerry.cloud.errors import Busy, RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import ROOT, Tree

SIZE = 32_000
END = 0
VOCABULARY = hashlib.sha256(b"skerry simulated vocabulary 1").digest()
_DRAFTS = 32
_CONTEXT = 1 << 17
_MULTIPLIER = 0x9E3779B97F4A7C15


def next_token(position: int, before: int, seed: int = 0) -> int:
    """The token at an absolute position; never the one that ends an answer."""
    mixed = (position * 0x100000001B3 ^ before) + seed & (1 << 64) - 1
    mixed = mixed * _MULTIPLIER & (1 << 64) - 1
    return 1 + (mixed >> 33) % (SIZE - 1)


class SimulatedTarget:
    """See `skerry.cloud.engines.base.Target`."""

    cached = 0

    def __init__(
        self, verifier: SimulatedVerifier, tokens: Sequence[int], seed: int, ends: frozenset[int]
    ) -> None:
        self._verifier, self._seed, self._ends = verifier, seed, ends
        self._position, self._before = len(tokens), tokens[-1]
        self._closed = False

    async def look(self, tree: Tree) -> Pass:
        began = time.perf_counter()
        await asyncio.sleep(0)
        if self._position + len(tree) >= self._verifier.facts.context_tokens:
            raise RequestError("the target's context is full", hint="ask with less before it")
        tokens, node = list[int](), ROOT
        while True:
            token = next_token(self._position + len(tokens), self._before, self._seed)
            tokens.append(token)
            self._before = token
            child = tree.child(node, token)
            if child is None or token in self._ends:
                break
            node = child
        self._position += len(tokens)
        return Pass(tuple(tokens), len(tokens) - 1, time.perf_counter() - began)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._verifier.left()


class SimulatedVerifier:
    """See `skerry.cloud.engines.base.Verifier`. `sessions` sequences at once."""

    def __init__(self, sessions: int = 4_096, *, context_tokens: int = _CONTEXT) -> None:
        ends = frozenset({END})
        self.facts = TargetFacts("simulated", VOCABULARY, SIZE, ends, context_tokens, _DRAFTS)
        self._free = sessions

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,  # noqa: ARG002
        ends: frozenset[int] = frozenset(),
    ) -> SimulatedTarget:
        if not tokens:
            raise RequestError("there is nothing to continue", hint="send at least one token")
        if len(tokens) >= self.facts.context_tokens:
            most = self.facts.context_tokens
            raise RequestError(f"{len(tokens)} tokens, where the target's context has {most}")
        if any(not 0 <= one < SIZE for one in tokens):
            raise RequestError("an id is no token of the target's vocabulary")
        if not self._free:
            raise Busy("all sequences of the target are taken", hint="try again in a moment")
        self._free -= 1
        seed = sampling.seed if sampling.temperature else 0
        return SimulatedTarget(self, tokens, seed, self.facts.ends | ends)

    def left(self) -> None:
        self._free += 1

    async def close(self) -> None:
        """There is nothing to free."""
