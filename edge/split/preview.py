"""What split inference would send, for a person to see and to approve."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import msgspec

from skerry.cloud.hints import frames
from skerry.cloud.hints.frames import VERSION, Choosing, Mode, Open, written
from skerry.edge.engines.base import Message, Sampling
from skerry.edge.engines.text import clean_text
from skerry.edge.escalate.preview import OutgoingMessage, Preview, outgoing
from skerry.edge.split.options import SplitOptions
from skerry.edge.split.tokenizer import Tokenizer

_ROLES: tuple[frames.Role, ...] = get_args(frames.Role)


@dataclass(frozen=True, slots=True)
class SplitPreview(Preview):
    """`body` is the frame that opens the generation; `told` is what its tokens say.

    Drafts that follow are guesses at the answer, made of what was sent and of nothing else. A cloud
    whose target has other tokens is sent the same as text, `spoken`, after `opening` or, where that
    `is_known`, in its place; None: it cannot be sent as text.
    """

    opening: Open = field(kw_only=True)
    spoken: Open | None = field(kw_only=True, default=None)
    is_known: bool = field(kw_only=True, default=False)
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
        """Of where and what, whatever the seed is, and whether as tokens or as text."""
        both = (self.opening, self.spoken)
        same = (_seedless(one) for one in both if one is not None)
        return hashlib.sha256(b"\0".join((self.url.encode(), *same))).hexdigest()


def _seedless(opening: Open) -> bytes:
    choosing = msgspec.structs.replace(opening.choosing, seed=0)
    return written(msgspec.structs.replace(opening, choosing=choosing))


def split_preview(
    messages: Sequence[Message], tokenizer: Tokenizer, options: SplitOptions, sampling: Sampling,
    *, max_tokens: int, stop: Sequence[str], redactions: int, request_class: str = "",
    is_known: Callable[[bytes], bool] = lambda _: False,
) -> SplitPreview:  # fmt: skip
    """`is_known` says whether the target has other tokens than a vocabulary of that digest.

    Raises what `Tokenizer.prompt_tokens` does.
    """
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
    spoken = _spoken(messages, opening)
    known = spoken is not None and is_known(opening.vocabulary)
    return SplitPreview(
        url=options.url,
        destination=options.destination,
        body=written(spoken if spoken is not None and known else opening),
        header_names=tuple(name.lower() for name in options.headers()),
        redactions=redactions,
        opening=opening,
        spoken=spoken,
        is_known=known,
        told=tuple(outgoing(message) for message in messages),
        stop=tuple(stop),
        sampling=sampling,
        request_class=request_class,
    )


def _spoken(messages: Sequence[Message], opening: Open) -> Open | None:
    """The same in text; None: a message is more than a text, of nobody whom the protocol knows, or
    they are too many or too large."""
    told = [_message(one) for one in messages]
    if not 0 < len(told) <= frames.MOST_MESSAGES or None in told:
        return None
    spoken = msgspec.structs.replace(
        opening, version=VERSION, vocabulary=b"", tokens=(), messages=tuple(told),
        mode=Mode.LATENCY, patience_ms=0,
    )  # fmt: skip
    return spoken if len(written(spoken)) <= frames.MOST_BYTES else None


def _message(message: Message) -> frames.Message | None:
    role, content = message.get("role"), message.get("content")
    if set(message) != {"role", "content"} or not isinstance(content, str):
        return None
    known = next((one for one in _ROLES if one == role), None)
    return frames.Message(known, clean_text(content)) if known else None


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
