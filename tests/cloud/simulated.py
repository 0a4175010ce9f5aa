"""A target whose logits are a hash of what it has seen, and a channel between two lists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import numpy as np

from skerry.cloud.channel import Gone
from skerry.cloud.engines.base import Pass, TargetFacts
from skerry.cloud.hints.choice import Row, Sampling
from skerry.cloud.hints.frames import CloudFrame, DeviceFrame
from skerry.cloud.hints.tree import ROOT, Tree
from skerry.cloud.hints.verdict import judged

SIZE = 24
END = 0
VOCABULARY = b"v" * 32


def logits(sequence: Sequence[int]) -> Row:
    """[24]: depends on the last three tokens, and on how many there are."""
    seed = [len(sequence) % 7, *(token + 1 for token in sequence[-3:])]
    row = np.random.default_rng(seed).normal(0, 2, SIZE).astype(np.float32)
    row[END] -= 6
    return row


class SimulatedTarget:
    """See `skerry.cloud.engines.base.Target`. `looked` are the trees that it was given."""

    cached = 0

    def __init__(
        self, tokens: Sequence[int], sampling: Sampling, ends: frozenset[int], generated: int = 0
    ) -> None:
        self._tokens = list(tokens)
        self._start = len(tokens) - generated
        self._sampling, self._ends = sampling, ends
        self.looked: list[Tree] = []
        self.closed = False

    async def look(self, tree: Tree) -> Pass:
        await asyncio.sleep(0)
        self.looked.append(tree)
        verdict = judged(
            tree,
            lambda node: logits([*self._tokens, *_path(tree, node)]),
            self._sampling,
            len(self._tokens),
            generated=self._tokens[self._start :],
            ends=self._ends,
        )
        self._tokens += verdict.tokens
        return Pass(verdict.tokens, len(verdict.path), 0.001)

    async def close(self) -> None:
        self.closed = True


class SimulatedVerifier:
    """See `skerry.cloud.engines.base.Verifier`."""

    def __init__(self, drafts: int = 16) -> None:
        self.facts = TargetFacts("simulated", VOCABULARY, SIZE, frozenset({END}), 4096, drafts)
        self.opened: list[SimulatedTarget] = []

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> SimulatedTarget:
        self.opened.append(SimulatedTarget(tokens, sampling, self.facts.ends | ends, generated))
        return self.opened[-1]

    async def close(self) -> None:
        for one in self.opened:
            await one.close()


class ListChannel:
    """Gives the device's frames, one for each time that it is asked or all at once; keeps the
    cloud's. After the last one it waits for ever, or is gone if `hangs_up`."""

    def __init__(self, frames: Iterable[DeviceFrame], *, hangs_up: bool = False) -> None:
        self._frames: asyncio.Queue[DeviceFrame] = asyncio.Queue()
        for frame in frames:
            self.say(frame)
        self._hangs_up = hangs_up
        self.sent: list[CloudFrame] = []

    async def receive(self) -> DeviceFrame:
        await asyncio.sleep(0)
        if self._hangs_up and self._frames.empty():
            raise Gone
        return await self._frames.get()

    def say(self, frame: DeviceFrame) -> None:
        self._frames.put_nowait(frame)

    async def send(self, frame: CloudFrame) -> None:
        self.sent.append(frame)


def alone(prompt: Sequence[int], sampling: Sampling, count: int) -> list[int]:
    """What the target says without any hint, a token at a time."""
    target = SimulatedTarget(prompt, sampling, frozenset({END}))
    tokens: list[int] = []
    while len(tokens) < count and tokens[-1:] != [END]:
        tokens += asyncio.run(target.look(Tree())).tokens
    return tokens


def _path(tree: Tree, node: int) -> list[int]:
    path: list[int] = []
    while node != ROOT:
        path.insert(0, tree.tokens[node])
        node = tree.parents[node]
    return path
