"""Split inference as a tier: the device drafts, a cloud verifies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from skerry.edge.engines.base import Engine, Message, Sampling
from skerry.edge.errors import CloudUnavailable, ConfigError
from skerry.edge.escalate.breaker import Breaker
from skerry.edge.escalate.preview import Preview
from skerry.edge.split.client import SplitGeneration
from skerry.edge.split.drafter import Drafter
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.preview import SplitPreview, split_preview
from skerry.edge.split.stream import SplitStream
from skerry.edge.split.tokenizer import Tokenizer

Lease = Callable[[], AbstractContextManager[Engine]]

_FAILURES = 3
_COOLDOWN_S = 30.0


class SplitTier:
    """See `skerry.edge.escalate.base.RemoteTier`. Thread-safe.

    Args:
        lease: gives the device's model, whose tokens both sides must share.
        drafters: makes the drafters of one generation.
        offline: asked before every generation; while it says True, no socket is made.
    """

    def __init__(
        self,
        options: SplitOptions,
        lease: Lease,
        drafters: Callable[[], Drafter],
        *,
        offline: Callable[[], bool] = lambda: False,
    ) -> None:
        self.options = options
        self._lease, self._drafters, self._offline = lease, drafters, offline
        self._breaker = Breaker(_FAILURES, _COOLDOWN_S)

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
    ) -> SplitPreview:
        """Raises ConfigError: the device's model cannot tell its tokens."""
        with self._lease() as engine:
            return split_preview(
                messages, _tokenizer(engine), self.options, sampling,
                max_tokens=max_tokens, stop=stop, redactions=redactions,
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
        tokenizer = _tokenizer(held.enter_context(self._lease()))
        drafter = self._drafters()
        held.callback(drafter.close)
        generation = SplitGeneration(
            self.options, preview.opening, drafter, deadline_s=deadline_s, cancel=cancel
        )
        return SplitStream(generation, tokenizer, preview, held, self._breaker)

    def close(self) -> None:
        """Nothing is kept open between generations."""


def _tokenizer(engine: Engine) -> Tokenizer:
    if not isinstance(engine, Tokenizer):
        raise ConfigError(
            f"the model '{engine.info.name}' cannot draft: its engine does not tell its tokens",
            hint="use a GGUF model for split inference",
        )
    return engine
