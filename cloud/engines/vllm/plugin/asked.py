"""What a request asks of the plugin, as it travels in vLLM's `extra_args`. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import Choosing

_NAME = "skerry"


@dataclass(frozen=True, slots=True)
class Asked:
    """Look at `draft` after the prompt, whose last `generated` tokens count for penalties. Then it
    is over, but where a `run` is named: that goes on, its first token at the position `at`."""

    draft: tuple[int, ...]
    choosing: Choosing
    generated: int = 0
    ends: tuple[int, ...] = ()
    run: str = ""
    at: int = 0

    @property
    def sampling(self) -> Sampling:
        return self.choosing.sampling()

    def extra_args(self) -> dict[str, Any]:
        parts = [list(self.draft), msgspec.to_builtins(self.choosing), self.generated]
        return {_NAME: [*parts, list(self.ends), self.run, self.at]}


def asked_of(params: Any) -> Asked | None:
    """What is asked by a request with these `SamplingParams`; None: it is not for the plugin."""
    parts = ((params and params.extra_args) or {}).get(_NAME)
    if parts is None:
        return None
    draft, choosing, generated, ends, run, at = parts
    choosing = msgspec.convert(choosing, Choosing)
    return Asked(tuple(draft), choosing, generated, tuple(ends), run, at)
