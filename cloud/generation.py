"""One generation: the target continues a sequence, and looks at the hints that have come.

In latency mode it never waits: a pass looks at what hints there are, and without any it is an
ordinary step; an engine that can goes on by itself then, and is passed on the hints that come. In
thrift mode it waits for a hint first, at most for the patience that the device asked for, to take
fewer passes. The device may change its mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from skerry.cloud.channel import Channel, Gone
from skerry.cloud.engines.base import Pass, Runner, Target, TargetFacts
from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import (
    Cancel,
    Done,
    Draft,
    Drafts,
    Mode,
    Open,
    Reason,
    Tokens,
    Wait,
)
from skerry.cloud.hints.matcher import Hint, Matcher
from skerry.cloud.hints.tree import Tree

SEND_S = 30.0
"""How long a device may leave what is sent to it untaken."""
MOST_HINTS = 4_000
"""Of one generation between two passes; a device sends some dozens."""
_ABOUT = 0.1
"""What a pass took is told where it is so much more or less than what was told last."""


@dataclass(slots=True)
class Tally:
    """What a generation has taken so far."""

    passes: int = 0
    drafted: int = 0
    accepted: int = 0

    def add(self, tree: Tree, result: Pass) -> None:
        self.passes += 1
        self.drafted += len(tree)
        self.accepted += result.drafted


class Hints:
    """The hints of one generation, and whether the device wants it to go on."""

    def __init__(self, size: int, patience_ms: int, runner: Runner | None = None) -> None:
        """`size`: the target's vocabulary; a hint with an id beyond it is not read. `patience_ms`:
        how long hints are waited for, until the device says something else. `runner`: who else is
        told of hints."""
        self._runner = runner
        self._matcher, self._size = Matcher(0), size
        self._since_pass = 0
        self._patience_ms = patience_ms
        self._news = asyncio.Event()
        self._no_idea: Draft | Drafts | None = None
        self.cancelled = False
        self.ended = False
        self.fault: ProtocolError | None = None

    async def listen(self, channel: Channel) -> None:
        """Takes frames until the device cancels, goes away or sends what is no frame."""
        try:
            while not self.cancelled:
                match await channel.receive():
                    case Draft() | Drafts() as draft:
                        self._offer(draft)
                    case Cancel():
                        break
                    case Wait(patience_ms):
                        self._patience_ms = patience_ms
                        self._news.set()
                    case Open():
                        raise ProtocolError("a generation is opened twice on one connection")
        except ProtocolError as error:
            self.fault = error
        except Gone:
            pass
        self.cancelled = True
        self._news.set()

    def _offer(self, draft: Draft | Drafts) -> None:
        """Raises ProtocolError: so many before a pass are no hints, and keep others waiting."""
        self._since_pass += 1
        if self._since_pass > MOST_HINTS:
            raise ProtocolError(f"more than {MOST_HINTS} hints came before the next pass")
        if not draft.tokens:
            self._no_idea = draft
        elif max(draft.tokens) < self._size:
            hint = Hint(draft.position, draft.tree(), draft.after)
            self._matcher.offer(hint)
            if self._runner is not None:
                self._runner.hear(hint)
        self._news.set()

    def best(self, most: int) -> Tree:
        return self._matcher.best(most)

    @property
    def patient(self) -> bool:
        """Whether the target waits for hints."""
        return self._patience_ms > 0

    async def wait(self) -> None:
        """Returns when there is something to look at, or nobody to wait for, or it is late."""
        if not self.patient:
            return
        try:
            async with asyncio.timeout(self._patience_ms / 1e3):
                while self._patience_ms and not (
                    self.cancelled or self._without_idea or len(self.best(1))
                ):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass

    @property
    def _without_idea(self) -> bool:
        """Whether the device has said that it has none for the next token."""
        said = self._no_idea
        return said is not None and self._matcher.is_next(said.position, said.after)

    def advance(self, result: Pass) -> None:
        self._since_pass = 0
        self._matcher.advance(result.tokens)
        self.ended = result.ended


async def generate(
    channel: Channel, asked: Open, target: Target, facts: TargetFacts, prompt: Sequence[int],
    *, tokens: list[int], drafts: int,
) -> Done:  # fmt: skip
    """Continues `prompt` until it ends; sends its tokens as they come, and adds them to `tokens`.

    At most `drafts` tokens of hints are looked at in one pass. Returns the frame that tells the
    device of the end. A generation that goes on may have ended before its connection broke.

    Raises:
        ProtocolError: the device sent what is no frame, or not one for now.
        RequestError: the target's context is full.
        TargetError: the engine failed.
        Gone: the device went away.
    """
    ends = facts.ends | set(asked.ends)
    patience_ms = asked.patience_ms if asked.mode is Mode.THRIFT else 0
    runner = target if isinstance(target, Runner) else None
    size = facts.size if drafts else 0  # of nobody who is to be read is anything kept
    hints, tally = Hints(size, patience_ms, runner if drafts else None), Tally()
    said = prompt[len(prompt) - asked.generated :]
    told_us = 0
    async with _listening(hints, channel):
        while (reason := _ended(said, tokens, asked, ends, hints)) is None:
            if drafts:
                await hints.wait()
            left = asked.max_tokens - len(tokens)
            tree = hints.best(min(drafts, left - 1))
            if runner is None or hints.patient:
                result = await target.look(tree)
            else:
                result = await runner.following(tree, left)
            hints.advance(result)
            tally.add(tree, result)
            took_us = round(result.seconds * 1e6)
            news = abs(took_us - told_us) > told_us * _ABOUT
            told_us = took_us if news else told_us
            frame = Tokens(len(tokens), result.tokens, result.drafted, took_us if news else 0)
            tokens += result.tokens
            await _send(channel, frame)
        if hints.fault is not None:
            raise hints.fault
    counts = (tally.passes, tally.drafted, tally.accepted)
    return Done(reason, *counts, prompt_tokens=len(prompt), tokens=len(tokens))


def _ended(
    said: Sequence[int], tokens: Sequence[int], asked: Open, ends: frozenset[int], hints: Hints
) -> Reason | None:
    """Why a generation is over, which had `said` something before its connection broke."""
    last = (tokens or said)[-1:]
    if hints.ended or (last and last[0] in ends):
        return Reason.STOP
    if len(tokens) >= asked.max_tokens:
        return Reason.LENGTH
    return Reason.CANCELLED if hints.cancelled else None


async def _send(channel: Channel, frame: Tokens) -> None:
    try:
        async with asyncio.timeout(SEND_S):
            await channel.send(frame)
    except TimeoutError as error:
        raise Gone from error


@asynccontextmanager
async def _listening(hints: Hints, channel: Channel) -> AsyncIterator[None]:
    task = asyncio.create_task(hints.listen(channel))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
