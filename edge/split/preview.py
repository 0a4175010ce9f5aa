"""What split inference would send, for a person to see and to approve."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from skerry.cloud.hints.frames import VERSION, Choosing, Mode, Open, written
from skerry.edge.engines.base import Message, Sampling
from skerry.edge.escalate.preview import OutgoingMessage, Preview, outgoing
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class SplitPreview(Preview):
    """`body` is the frame that opens the generation; `told` is what its tokens say.

    Drafts that follow are guesses at the answer, made of what was sent and of nothing else.
    """

    opening: Open = field(kw_only=True)
    told: tuple[OutgoingMessage, ...] = field(kw_only=True)
    stop: tuple[str, ...] = field(kw_only=True, default=())
    sampling: Sampling = field(kw_only=True, default=Sampling())
    request_class: str = field(kw_only=True, default="")

    @property
    def model(self) -> str:
        return self.opening.model

    @property
    def seed(self) -> int | None:
        return self.opening.choosing.seed

    @property
    def messages(self) -> tuple[OutgoingMessage, ...]:
        return self.told

    @property
    def digest(self) -> str:
        """Of where and what, whatever the seed is."""
        choosing = msgspec.structs.replace(self.opening.choosing, seed=0)
        same = written(msgspec.structs.replace(self.opening, choosing=choosing))
        return hashlib.sha256(b"\0".join((self.url.encode(), same))).hexdigest()


def split_preview(
    messages: Sequence[Message], tokenizer: Tokenizer, options: SplitOptions, sampling: Sampling,
    *, max_tokens: int, stop: Sequence[str], redactions: int, request_class: str = "",
) -> SplitPreview:  # fmt: skip
    """Raises what `Tokenizer.prompt_tokens` does."""
    opening = Open(
        version=VERSION,
        model=options.model,
        vocabulary=tokenizer.vocabulary_digest(),
        tokens=tuple(tokenizer.prompt_tokens(messages)),
        choosing=_choosing(sampling),
        mode=Mode.THRIFT if options.patience_ms else Mode.LATENCY,
        patience_ms=options.patience_ms or 0,
        max_tokens=max_tokens,
    )
    return SplitPreview(
        url=options.url,
        destination=options.destination,
        body=written(opening),
        header_names=tuple(name.lower() for name in options.headers()),
        redactions=redactions,
        opening=opening,
        told=tuple(outgoing(message) for message in messages),
        stop=tuple(stop),
        sampling=sampling,
        request_class=request_class,
    )


def _choosing(sampling: Sampling) -> Choosing:
    drawn = secrets.randbits(31) if sampling.temperature else 0
    return Choosing(
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        min_p=sampling.min_p,
        repetition_penalty=sampling.repeat_penalty,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        seed=drawn if sampling.seed is None else sampling.seed,
    )
