"""The Verifier of llama.cpp: sequences of one model in this process."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from skerry.cloud.engines.base import Pass, TargetFacts
from skerry.cloud.engines.llama.native import MOST_SEQUENCES, Context, Model
from skerry.cloud.engines.llama.slots import Slot, take
from skerry.cloud.engines.llama.words import LlamaWords
from skerry.cloud.engines.llama.worker import Job, Worker
from skerry.cloud.errors import Busy, RequestError, TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree

_BATCH = 512
_SPARE = 512  # cells
_BRANCHES = 32
_DRAFTS = 32
_CONTEXT = 4_096
_log = logging.getLogger(__name__)


class LlamaTarget:
    """See `skerry.cloud.engines.base.Target`."""

    def __init__(
        self,
        worker: Worker,
        slot: Slot,
        tokens: Sequence[int],
        how: tuple[Sampling, frozenset[int]],
        *,
        generated: int,
        room: int,
    ) -> None:
        self._worker = worker
        self._slot = slot
        self._feed = list(tokens[len(slot.tokens) :])
        self._generated = list(tokens[len(tokens) - generated :])
        self._sampling, self._ends = how
        self._room = room
        self._running: asyncio.Future[Pass] | None = None
        self.cached = len(slot.tokens)

    async def look(self, tree: Tree) -> Pass:
        room = self._room - len(self._slot.tokens) - len(self._feed)
        if room < 0:
            raise RequestError("the target's context is full", hint="ask with less before it")
        drafted = tree if len(tree) <= room else Tree()
        job = Job(
            self._slot, self._feed, drafted, self._sampling, tuple(self._generated), self._ends
        )
        self._running = asyncio.wrap_future(self._worker.submit(job))
        self._running.add_done_callback(_heard)  # also where nobody waits any more
        result = await asyncio.shield(self._running)
        self._generated += result.tokens
        self._feed = [result.tokens[-1]]
        return result

    async def close(self) -> None:
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        self._slot.busy = False


def _heard(running: asyncio.Future[Pass]) -> None:
    if not running.cancelled():
        running.exception()


class LlamaVerifier:
    """See `skerry.cloud.engines.base.Verifier`."""

    def __init__(
        self, name: str, model: Model, context: Context, *, sessions: int, context_tokens: int
    ) -> None:
        self._model, self._context = model, context
        self._slots = [Slot(i) for i in range(sessions)]
        first = sessions + 1
        self._worker = Worker(
            context, range(first, first + _BRANCHES), grave=sessions, spare=_SPARE - _DRAFTS
        )
        self._opened = count(1)
        self._closed = False
        self.facts = TargetFacts(
            name, model.vocabulary(), model.size, model.ends(), context_tokens, _DRAFTS
        )
        self.words = _words(model, self.facts)

    @classmethod
    def load(
        cls, path: Path, *, sessions: int = 4, context_tokens: int = 0, threads: int = 0
    ) -> LlamaVerifier:
        """With the GGUF model at `path`; blocks while it is read.

        Raises:
            TargetError: it cannot be loaded, or there is not enough memory.
        """
        model = Model(path)
        each = min(context_tokens or _CONTEXT, model.trained_context)
        context = Context(
            model,
            tokens=sessions * each + _BATCH + _SPARE,
            sequences=min(sessions + 1 + _BRANCHES, MOST_SEQUENCES),
            batch=_BATCH,
            threads=threads or os.cpu_count() or 1,
        )
        return cls(path.stem, model, context, sessions=sessions, context_tokens=each)

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> LlamaTarget:
        self._check(tokens)
        taken = take(self._slots, tokens)
        if taken is None:
            raise Busy("all sequences of the target are taken", hint="try again in a moment")
        slot, held = taken
        if not any(one.busy for one in self._slots):
            self._worker.tidy()
        slot.busy, slot.used = True, next(self._opened)
        slot.forget(held)
        how = (sampling, self.facts.ends | ends)
        room = self.facts.context_tokens
        return LlamaTarget(self._worker, slot, tokens, how, generated=generated, room=room)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._worker.close)
            if self.words is not None:
                await asyncio.to_thread(self.words.close)
            self._context.close()
            self._model.close()

    def _check(self, tokens: Sequence[int]) -> None:
        if not tokens:
            raise RequestError("there is nothing to continue", hint="send at least one token")
        if len(tokens) >= self.facts.context_tokens:
            most = self.facts.context_tokens
            raise RequestError(f"{len(tokens)} tokens, where the target's context has {most}")
        if any(not 0 <= one < self.facts.size for one in tokens):
            raise RequestError("an id is no token of the target's vocabulary")


def _words(model: Model, facts: TargetFacts) -> LlamaWords | None:
    """None, and a line in the log, where the model's chat template cannot be used."""
    try:
        return LlamaWords(model, facts.ends, facts.context_tokens)
    except TargetError as error:
        _log.warning("%s cannot be asked in text: %s", facts.model, error)
        return None
