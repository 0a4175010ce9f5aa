"""One generation with a cloud that verifies: drafts go up while verdicts come down.

When the connection breaks, it is made anew and goes on after the last verified token: noise is
keyed by position, so that the answer stays the same.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from skerry.cloud.contexts import NoContext
from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import (
    Cancel,
    CloudFrame,
    DeviceFrame,
    Done,
    Draft,
    Fault,
    Mode,
    Open,
    Opened,
    Reason,
    Tokens,
    read_cloud_frame,
)
from skerry.edge.errors import CloudRefused, CloudUnavailable
from skerry.edge.split.ahead import Ahead
from skerry.edge.split.controller import Controller, Measured
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.link import LATER, Link
from skerry.edge.split.options import SplitOptions

Connect = Callable[[float], Link]
"""Makes a link within so many seconds."""

_TICK_S = 0.05
_PASSES = frozenset({
    "busy", "queue_full", "concurrency_exceeded", "rate_limit_exceeded", "no_replica", "stopping",
    "deadline_exceeded",
})  # fmt: skip
"""Codes of a cloud that may take the same later."""
_PAUSE_S = 0.25


@dataclass(slots=True)
class Traffic:
    """Bytes of frames, without the headers of WebSocket, HTTP, TLS and TCP. `opening` of those that
    were sent told the sequence."""

    sent: int = 0
    received: int = 0
    opening: int = 0


class SplitGeneration:
    """Iterating yields the frames of tokens, in order; `done` is there at the end.

    What was yielded before an error stays verified. It ends within `deadline_s` of its making.
    `kept`: the cloud holds so many of the first tokens under the session that `asked` names.

    Raises while iterating:
        CloudRefused: the cloud will not serve this, or sends what the protocol does not allow.
        CloudUnavailable: it cannot be reached, went away for good, was silent or too slow.
    """

    def __init__(
        self, options: SplitOptions, asked: Open, drafter: Drafter, *, connect: Connect,
        deadline_s: float, cancel: threading.Event, measured: Measured | None = None, kept: int = 0,
    ) -> None:  # fmt: skip
        self._options, self._drafter, self._connect = options, drafter, connect
        self._asked, self._cancel, self._kept = asked, cancel, kept
        self._controller = Controller(
            measured or Measured(), options.depth, waits=asked.mode is Mode.THRIFT
        )
        self._ends_at = time.monotonic() + deadline_s
        self._link: Link | None = None
        self._stuck = self._cancelled = False
        self._reading = True
        self._waits, self._gave_way_at = False, -1
        self._prompting = True
        """The next pass reads the prompt, too, and says little of others."""
        self.ahead = Ahead(asked.tokens, asked.generated)
        self.traffic = Traffic()
        self.opened: Opened | None = None
        self.done: Done | None = None
        self.passes = self.resumed = 0

    def __iter__(self) -> Iterator[Tokens]:
        try:
            while self.done is None:
                try:
                    yield from self._connection()
                except CloudUnavailable:
                    if not self._may_resume():
                        raise
        except ProtocolError as error:
            raise CloudRefused(f"{self._options.destination}: {error.what}") from error
        finally:
            self.close()

    def close(self) -> None:
        """May be called twice."""
        if self._link is not None:
            self._link.close()

    def _connection(self) -> Iterator[Tokens]:
        """Frames of tokens for as long as one connection holds."""
        if self._left_to_ask() == 0:
            self.done = self._whole()
            return
        self._link = self._connect(self._left())
        self._open()
        while self.done is None:
            frame = self._receive()
            if frame is None:
                self._draft()
            elif (tokens := self._take(frame)) is not None:
                yield tokens

    def _left_to_ask(self) -> int:
        """Tokens that may still be generated."""
        return self._asked.max_tokens + self._asked.generated - len(self.ahead.generated)

    def _whole(self) -> Done:
        """The end of a generation of which only the last frame was lost."""
        ahead = self.ahead
        prompt, tokens = len(self._asked.tokens), len(ahead.generated)
        return Done(Reason.LENGTH, self.passes, ahead.drafted, ahead.hit, prompt, tokens)

    def _open(self) -> None:
        """Asks for what is not generated yet, and sends no more of the sequence than is needed."""
        told = self.ahead.sequence[: self.ahead.verified]
        generated = len(self.ahead.generated)
        self._waits, patience_ms = self._patience()
        self._controller.waits = self._waits
        frame = msgspec.structs.replace(
            self._asked,
            mode=Mode.THRIFT if self._waits else Mode.LATENCY,
            patience_ms=patience_ms,
            tokens=tuple(told[self._kept :]),
            kept=self._kept,
            generated=generated,
            max_tokens=self._left_to_ask(),
        )
        self.traffic.opening += self._send(frame)
        self._stuck, self._prompting = False, True

    def _patience(self) -> tuple[bool, int]:
        """Whether the cloud is to wait for hints, and how long [ms]: as was asked, or, where nobody
        asked for anything, as long as that is faster."""
        asked = self._asked
        if self._options.patience_ms is not None or asked.mode is Mode.THRIFT:
            return asked.mode is Mode.THRIFT, asked.patience_ms
        patience_ms = math.ceil(self._controller.patience_s * 1e3)
        return patience_ms > 0, patience_ms

    def _may_resume(self) -> bool:
        """Waits a little, where trying again may help. What was guessed is guessed still."""
        self.close()
        over = self.resumed >= self._options.resumes or self._cancel.is_set()
        if over or not self.ahead.generated:
            return False
        pause = _PAUSE_S * 2**self.resumed * random.uniform(0.5, 1.5)  # noqa: S311  no secret
        if pause >= self._left():
            return False
        self._cancel.wait(pause)
        self.resumed += 1
        self._kept = 0
        return True

    def _take(self, frame: CloudFrame) -> Tokens | None:
        match frame:
            case Opened():
                self.opened = frame
            case Tokens():
                self._judge(frame)
                return frame
            case Done():
                self.done = frame
            case Fault(NoContext.code) if self._kept:
                self._kept = 0
                self.close()
                self._link = self._connect(self._left())
                self._open()
            case Fault(code, what, hint):
                kind = CloudUnavailable if code in _PASSES else CloudRefused
                raise kind(f"{self._options.destination}: {what}", hint=hint or LATER)
        return None

    def _judge(self, frame: Tokens) -> None:
        self.ahead.verify(frame)
        if self._left_to_ask() < 0:
            raise ProtocolError("the cloud sent more tokens than were asked for")
        self._controller.judge(self.ahead.right, self.ahead.wrong)
        if not self._prompting:
            self._controller.measured.pass_s.add(frame.pass_us / 1e6)
        self._prompting = False
        self.passes += 1
        self._stuck = False

    @property
    def _drafts(self) -> bool:
        """Whether there is something to draft now, or to read for it."""
        if self._cancelled or self._stuck:
            return False
        return self._reading if self.opened is None else self.opened.drafts > 0

    def _draft(self) -> None:
        """Drafts on; where that is far enough, a likely correction."""
        if self.opened is None:
            self._reading = self._drafter.read(self.ahead.sequence)
            return
        plan = self._controller.plan()
        room = min(plan.depth - self.ahead.depth, self._options.burst)
        if room > 0 and self._controller.worth_guessing(self.ahead.reach):
            self._guess(room)
        elif plan.branch:
            self._branch(plan.branch)
        else:
            self._stuck = True
        if self._stuck and self._waits:
            self._give_way()

    def _give_way(self) -> None:
        """Tells a cloud that waits, once for each position, that there is nothing to wait for."""
        at = self.ahead.verified
        if not self.ahead.depth and at != self._gave_way_at:
            self._gave_way_at = at
            self._send(Draft(at, ()))

    def _guess(self, most: int) -> None:
        began = time.perf_counter()
        guesses = self._drafter.draft(self.ahead.sequence, most)
        if guesses:
            taken = (time.perf_counter() - began) / len(guesses)
            self._controller.measured.draft_s.add(taken)
            self._send(self.ahead.guess(guesses))
        self._stuck = guesses == []

    def _branch(self, most: int) -> None:
        fork = self.ahead.fork()
        self._stuck = fork is None or not self._controller.worth_guessing(fork.odds)
        if fork is not None and not self._stuck:
            before = self.ahead.sequence[: fork.position]
            tokens = self._drafter.branch(before, fork.token, most)
            self._send(self.ahead.branch(fork, tokens))

    def _receive(self) -> CloudFrame | None:
        """The next frame; None: there is none yet, and drafting is of more use than waiting."""
        options = self._options
        wait_s = options.idle_s if self.passes else max(options.first_s, options.idle_s)
        silent_at = time.monotonic() + wait_s
        while True:
            self._heed_cancel()
            self._heed_time(silent_at)
            data = self._open_link.receive(0 if self._drafts else _TICK_S)
            if (rtt := self._open_link.rtt_s) is not None:
                self._controller.measured.rtt_s.value = rtt
            if data is not None:
                self.traffic.received += len(data)
                return read_cloud_frame(data)
            if self._drafts:
                return None

    def _heed_time(self, silent_at: float) -> None:
        now = time.monotonic()
        if now > min(silent_at, self._ends_at):
            raise CloudUnavailable(
                f"{self._options.destination} was silent or too slow", hint=LATER
            )

    def _heed_cancel(self) -> None:
        if self._cancel.is_set() and not self._cancelled:
            self._cancelled = True
            self._send(Cancel())

    @property
    def _open_link(self) -> Link:
        if self._link is None:
            raise RuntimeError("nothing is connected yet")
        return self._link

    def _send(self, frame: DeviceFrame) -> int:
        size = self._open_link.send(frame)
        self.traffic.sent += size
        return size

    def _left(self) -> float:
        return max(0.001, self._ends_at - time.monotonic())
