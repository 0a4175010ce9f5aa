"""Split inference as a tier: the device drafts, a cloud verifies."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import cast

import msgspec

from skerry.cloud.hints.frames import Open
from skerry.edge.engines.base import Engine, Message, Sampling
from skerry.edge.errors import CloudUnavailable, ConfigError
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.escalate.preview import Preview
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.controller import Measured
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.exchange import Connect, Exchange, OtherTokens
from skerry.edge.split.link import Ways
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.preview import SplitPreview, split_preview
from skerry.edge.split.stream import Device, SplitStream, Watch
from skerry.edge.split.streamed import TextGeneration
from skerry.edge.split.tokenizer import Tokenizer
from skerry.edge.split.told import Told

Lease = Callable[[], AbstractContextManager[Engine]]
Drafting = Callable[[SplitPreview], Drafter]
"""Makes the drafter of what is about to be sent."""

CLASS_HEADER = "x-skerry-class"
_FAILURES = 3
_COOLDOWN_S = 30.0
_NOTHING_DRAFTED = "%s: nothing is drafted for its target, for %s; its answers are streamed as text"
_log = logging.getLogger(__name__)


class SplitTier:
    """See `skerry.edge.escalate.base.RemoteTier`. Thread-safe.

    Args:
        lease: gives the device's model, whose tokens both sides must share.
        drafting: makes the drafter of one generation.
        offline: asked before every generation; while it says True, no socket is made.
    """

    def __init__(
        self, options: SplitOptions, lease: Lease, drafting: Drafting, *,
        offline: Callable[[], bool] = lambda: False, closing: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.options = options
        self._lease, self._drafting, self._offline = lease, drafting, offline
        self._closing = closing
        self._breaker = Breaker(_FAILURES, _COOLDOWN_S)
        self._ways, self._told = Ways(options), Told()
        self.watch: Watch | None = None
        """Told of every pass of the target, for those who want to see it; not for answers."""
        self._measured: defaultdict[str, Measured] = defaultdict(Measured)
        self._others: set[tuple[str, bytes]] = set()
        """Classes of requests whose target has other tokens than a vocabulary of that digest."""
        self._warned_of: set[str] = set()

    def available(self) -> bool:
        return not self._offline() and self._breaker.admits

    def preview(
        self,
        messages: Sequence[Message],
        *,
        sampling: Sampling,
        max_tokens: int,
        stop: Sequence[str] = (),
        reasoning: bool = False,  # noqa: ARG002  the target is what it is
        redactions: int = 0,
        request_class: str = "",
    ) -> SplitPreview:
        """Raises ConfigError: the device's model cannot tell its tokens."""
        with self._lease() as engine:
            return split_preview(
                messages, _device(engine), self.options, sampling, max_tokens=max_tokens,
                stop=stop, redactions=redactions, request_class=request_class,
                is_known=lambda vocabulary: (request_class, vocabulary) in self._others,
            )  # fmt: skip

    def send(self, preview: Preview, *, deadline_s: float, cancel: threading.Event) -> SplitStream:
        if not isinstance(preview, SplitPreview):
            raise TypeError("this preview is another tier's")
        if self._offline() or not self._breaker.admit():
            raise CloudUnavailable(
                f"nothing was sent to {preview.destination}: this device is offline, or it failed "
                "too often",
                hint="try again later; the device can answer meanwhile",
            )
        held = ExitStack()
        device = _device(held.enter_context(self._lease()))
        return SplitStream(
            self._generation(preview, deadline_s, cancel, held),
            device,
            preview,
            in_text=lambda exchange, refusal: self._in_text(preview, exchange, held, refusal),
            held=held,
            breaker=self._breaker,
            cancel=cancel,
            watch=self.watch,
        )

    def _generation(
        self, preview: SplitPreview, deadline_s: float, cancel: threading.Event, held: ExitStack
    ) -> SplitGeneration | TextGeneration:
        """In tokens, or at once in text where the target is known to have others."""
        connect: Connect = lambda left: self._ways.connect(self._headers(preview), left)  # noqa: E731
        if preview.is_known and preview.spoken is not None:
            exchange = Exchange(self.options, connect=connect, deadline_s=deadline_s, cancel=cancel)
            return self._streamed(preview, preview.spoken, exchange, held)
        drafter = self._drafting(preview)
        held.callback(drafter.close)
        session, kept = self._told.take(preview.opening.tokens)
        generation = SplitGeneration(
            self.options, msgspec.structs.replace(preview.opening, session=session), drafter,
            connect=connect, deadline_s=deadline_s, cancel=cancel, kept=kept,
            measured=self._measured[preview.request_class],
        )  # fmt: skip
        held.callback(self._remember, session, generation)
        return generation

    def _in_text(
        self, preview: SplitPreview, exchange: Exchange, held: ExitStack, refusal: OtherTokens
    ) -> TextGeneration:
        """Asks in text now, and the next time.

        Raises:
            CloudRefused: what was asked is more than text.
        """
        if preview.spoken is None:
            raise refusal
        self._others.add((preview.request_class, preview.opening.vocabulary))
        if refusal.why not in self._warned_of:
            self._warned_of.add(refusal.why)
            _log.warning(_NOTHING_DRAFTED, preview.destination, refusal.why)
        return self._streamed(preview, preview.spoken, exchange, held)

    def _streamed(
        self, preview: SplitPreview, asked: Open, exchange: Exchange, held: ExitStack
    ) -> TextGeneration:
        generation = TextGeneration(exchange, asked)
        held.callback(self._look_again, preview, generation)
        return generation

    def _look_again(self, preview: SplitPreview, generation: TextGeneration) -> None:
        """Forgets that the target has other tokens, where another one may be there now."""
        opened, own = generation.opened, preview.opening.vocabulary
        if generation.refused or (opened is not None and opened.vocabulary == own):
            self._others.discard((preview.request_class, own))

    def _headers(self, preview: SplitPreview) -> dict[str, str]:
        told = {CLASS_HEADER: preview.request_class} if preview.request_class else {}
        return self.options.headers() | told

    def _remember(self, session: str, generation: SplitGeneration) -> None:
        """Notes what the cloud holds, if it has taken the sequence at all."""
        if generation.opened is not None:
            ahead = generation.ahead
            self._told.give_back(session, ahead.sequence[: ahead.verified])

    def close(self) -> None:
        """Nothing is kept open between generations but the draft model."""
        self._closing()


def _device(engine: Engine) -> Device:
    if not isinstance(engine, Tokenizer):
        raise ConfigError(
            f"the model '{engine.info.name}' cannot draft: its engine does not tell its tokens",
            hint="use a GGUF model for split inference",
        )
    return cast("Device", engine)
