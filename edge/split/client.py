"""One generation with a cloud that verifies: drafts go up while verdicts come down.

When the connection breaks, it is made anew and goes on after the last verified token: noise is
keyed by position, so that the answer stays the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import msgspec

from skerry.cloud.contexts import NoContext
from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import (
    CloudFrame,
    Done,
    Fault,
    Mode,
    Open,
    Opened,
    Reason,
    Said,
    Tokens,
    Wait,
)
from skerry.edge.split.ahead import Ahead
from skerry.edge.split.controller import Controller, Measured
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.exchange import Connect, Exchange, Exchanged
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.patience import Patience


class SplitGeneration(Exchanged):
    """Iterating yields the frames of tokens, in order; `done` is there at the end.

    What was yielded before an error stays verified. It ends within `deadline_s` of its making.
    `kept`: the cloud holds so many of the first tokens under the session that `asked` names.

    Raises while iterating:
        OtherTokens: the target has other tokens; it may be asked in text.
        CloudRefused: the cloud will not serve this, or sends what the protocol does not allow.
        CloudUnavailable: it cannot be reached, went away for good, was silent or too slow.
    """

    def __init__(
        self, options: SplitOptions, asked: Open, drafter: Drafter, *, connect: Connect,
        deadline_s: float, cancel: threading.Event, measured: Measured | None = None, kept: int = 0,
    ) -> None:  # fmt: skip
        self._options, self._drafter = options, drafter
        self._asked, self._kept = asked, kept
        super().__init__(Exchange(options, connect=connect, deadline_s=deadline_s, cancel=cancel))
        self._controller = Controller(measured or Measured(), options.depth)
        self._stuck = False
        self._reading = True
        fixed = options.patience_ms is not None or asked.mode is Mode.THRIFT
        self._patience = Patience(self._controller, asked, fixed=fixed)
        self._gave_way_at = -1
        self._prompting, self._pass_s = True, 0.0
        """The next pass reads the prompt, too, and says little of others."""
        self.ahead = Ahead(asked.tokens, asked.generated)
        self.opened: Opened | None = None
        self._agreed = False
        """Whether the cloud that is connected has opened."""
        self.done: Done | None = None
        self.passes = 0

    def __iter__(self) -> Iterator[Tokens]:
        return self.exchange.until(
            lambda: self.done is not None, self._connection, lambda: bool(self.ahead.generated)
        )

    @property
    def prompt_tokens(self) -> int:
        return len(self._asked.tokens) - self._asked.generated

    def _connection(self) -> Iterator[Tokens]:
        """Frames of tokens for as long as one connection holds."""
        if self._left_to_ask() == 0:
            self.done = self._whole()
            return
        if self.ahead.generated:
            self._kept = 0
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
        """Asks for what is not generated yet, of the model that began, and sends no more of the
        sequence than is needed."""
        told = self.ahead.sequence[: self.ahead.verified]
        generated = len(self.ahead.generated)
        patience_ms = self._patience.begin()
        frame = msgspec.structs.replace(
            self._asked,
            model=self.opened.model if self.opened and generated else self._asked.model,
            mode=Mode.THRIFT if patience_ms else Mode.LATENCY,
            patience_ms=patience_ms,
            tokens=tuple(told[self._kept :]),
            kept=self._kept,
            generated=generated,
            max_tokens=self._left_to_ask(),
        )
        self.exchange.open(frame)
        self._stuck, self._prompting, self._pass_s = False, True, 0.0
        self._agreed = False
        self.ahead.begins = self.ahead.verified

    def _take(self, frame: CloudFrame) -> Tokens | None:
        match frame:
            case Fault(NoContext.code) if self._kept:
                self._kept = 0
                self._open()
            case Fault():
                raise self.exchange.failed(frame)
            case Opened() if not self._agreed:
                self._begin(frame)
            case Opened():
                raise ProtocolError("the cloud opened a generation twice")
            case _ if not self._agreed:
                raise ProtocolError("the cloud answered before it opened the generation")
            case Tokens():
                self._judge(frame)
                return frame
            case Done():
                self.done = frame
            case Said():
                raise ProtocolError("the cloud sent text, and tokens were agreed")
        return None

    def _begin(self, frame: Opened) -> None:
        if frame.position != self.ahead.begins:
            raise ProtocolError(
                f"the cloud begins at position {frame.position}, not {self.ahead.begins}"
            )
        self.opened, self._agreed = frame, True

    def _judge(self, frame: Tokens) -> None:
        self.ahead.verify(frame)
        if self._left_to_ask() < 0:
            raise ProtocolError("the cloud sent more tokens than were asked for")
        self._controller.judge(self.ahead.right, self.ahead.wrong)
        if frame.pass_us:
            self._pass_s = frame.pass_us / 1e6
        if not self._prompting:
            self._controller.measured.pass_s.add(self._pass_s)
        self._prompting = False
        self.passes += 1
        self._stuck = False
        if self._drafts and (patience_ms := self._patience.news()) is not None:
            self.exchange.send(Wait(patience_ms))

    @property
    def _drafts(self) -> bool:
        """Whether there is something to draft now, or to read for it."""
        if self.exchange.cancelled or self._stuck:
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
        if self._stuck and self._patience.waits:
            self._give_way()

    def _give_way(self) -> None:
        """Tells a cloud that waits, once for each position, that there is nothing to wait for."""
        at = self.ahead.verified
        if not self.ahead.depth and at != self._gave_way_at:
            self._gave_way_at = at
            self.exchange.send(self.ahead.no_idea())

    def _guess(self, most: int) -> None:
        began = time.perf_counter()
        guesses = self._drafter.draft(self.ahead.sequence, most)
        if guesses:
            taken = (time.perf_counter() - began) / len(guesses)
            self._controller.measured.draft_s.add(taken)
            self.exchange.send(self.ahead.guess(guesses))
        self._stuck = guesses == []

    def _branch(self, most: int) -> None:
        fork = self.ahead.fork()
        self._stuck = fork is None or not self._controller.worth_guessing(fork.odds)
        if fork is not None and not self._stuck:
            before = self.ahead.sequence[: fork.position]
            tokens = self._drafter.branch(before, fork.token, most)
            self.exchange.send(self.ahead.branch(fork, tokens))

    def _receive(self) -> CloudFrame | None:
        """The next frame; None: there is none yet, and drafting is of more use than waiting."""
        frame = self.exchange.receive(begun=self.passes > 0, busy=lambda: self._drafts)
        if (rtt := self.exchange.rtt_s) is not None:
            self._controller.measured.rtt_s.value = rtt
        return frame
