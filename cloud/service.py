"""Serves generations on channels: opens them, runs them, and says what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field

from skerry.cloud.channel import Channel, Gone
from skerry.cloud.contexts import Contexts
from skerry.cloud.engines.base import Spread, Target, Verifier, Words, words_of
from skerry.cloud.errors import (
    Busy,
    CloudTierError,
    OtherVocabulary,
    ProtocolError,
    RequestError,
    TargetError,
    UnknownVocabulary,
)
from skerry.cloud.generation import generate
from skerry.cloud.hints.frames import VERSION, Fault, Open, Opened
from skerry.cloud.text import TextChannel

OPEN_S = 10.0
"""How long a device may take to say what it wants."""

_NO_DRAFTS = "this target cannot look at drafts"
_IN_TEXT = "it was asked in text"
_MISREADS = "the target has other tokens than the device's model: it misreads what is asked"
_UNKNOWN = "nobody knows the target's tokens: it may misread what is asked"
_UNKNOWN_HINT = "start the cloud tier with --tokenizer"
_ANOTHER = "the rest of the answer would be another model's: this target has other tokens"
_OTHER_HINT = (
    "give the device a model of the target's family, or ask the target as a cloud (cloud_url)"
)


class Unopened(Exception):
    """The engine did not let a generation in: `why` (Busy, TargetError). The device was told
    nothing, so that another target may be asked."""

    def __init__(self, why: CloudTierError) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(slots=True)
class Service:
    """One target model, and what is remembered of those who use it."""

    verifier: Verifier
    contexts: Contexts = field(default_factory=Contexts)

    async def serve(self, channel: Channel, owner: str = "", *, alone: bool = True) -> None:
        """One generation, from its first frame to its last. Faults go to the device.

        Raises:
            Unopened: this target is not `alone`, and did not let it in.
        """
        try:
            await self._serve(channel, owner)
        except Gone:
            return
        except Unopened as unopened:
            if not alone:
                raise
            await _tell(channel, Fault.of(unopened.why))
        except CloudTierError as error:
            await _tell(channel, Fault.of(error))

    async def _serve(self, channel: Channel, owner: str) -> None:
        asked = await opening(channel)
        facts = self.verifier.facts
        if asked.model not in ("", facts.model):
            raise RequestError(
                f"there is no model '{asked.model}'", hint=f"ask for '{facts.model}'"
            )
        self._check_vocabulary(asked)
        drafts, why = self._drafts(asked)
        whole, target = await self._opened(asked, owner)
        tokens: list[int] = []
        try:
            channel = await self._voiced(channel, asked)
            known = facts.vocabulary if asked.messages else b""
            opened = Opened(VERSION, facts.model, len(whole), drafts, why, target.cached, known)
            await channel.send(opened)
            done = await generate(
                channel, asked, target, facts, whole, tokens=tokens, drafts=drafts
            )
            await channel.send(done)
        finally:
            if not asked.messages:
                self.contexts.keep(owner, asked.session, (*whole, *tokens))
            await target.close()

    async def _opened(self, asked: Open, owner: str) -> tuple[tuple[int, ...], Target]:
        """The tokens to continue, and the target that does."""
        try:
            whole = await self._sequence(asked, owner)
            near, sampling = self._near(asked, owner), asked.choosing.sampling()
            ends = frozenset(asked.ends)
            return whole, await near.open(whole, sampling, generated=asked.generated, ends=ends)
        except (Busy, TargetError) as error:
            raise Unopened(error) from error

    def _near(self, asked: Open, owner: str) -> Verifier:
        """Of several servers that of the session, whose prefix cache has it."""
        if isinstance(self.verifier, Spread):
            session = f"{owner}/{asked.session}".encode() if asked.session else os.urandom(16)
            return self.verifier.near(session)
        return self.verifier

    def _check_vocabulary(self, asked: Open) -> None:
        """Raises:
        OtherVocabulary: tokens of the device say something else to the target.
        UnknownVocabulary: they may, and the target can be asked in text.
        """
        known = self.verifier.facts.vocabulary
        if asked.messages:
            if asked.tokens and asked.vocabulary != known:
                raise OtherVocabulary(_ANOTHER, hint="ask anew")
        elif asked.vocabulary and asked.vocabulary != known:
            instead = "messages" if words_of(self.verifier) else ""
            if known:
                raise OtherVocabulary(_MISREADS, hint=_OTHER_HINT, instead=instead)
            if instead:
                raise UnknownVocabulary(_UNKNOWN, hint=_UNKNOWN_HINT, instead=instead)

    def check_length(self, asked: Open) -> None:
        """Raises RequestError: the target's context has not so many tokens."""
        most, given = self.verifier.facts.context_tokens, asked.kept + len(asked.tokens)
        if given >= most:
            raise RequestError(
                f"{given} tokens, where the target's context has {most}",
                hint="send less, or start the target with a longer context",
            )

    async def _sequence(self, asked: Open, owner: str) -> tuple[int, ...]:
        """The tokens that the target is to continue."""
        if not asked.messages:
            return self.contexts.whole(owner, asked.session, asked.kept, asked.tokens)
        return (*await self._words().prompt(asked.messages), *asked.tokens)

    async def _voiced(self, channel: Channel, asked: Open) -> Channel:
        """The channel; one that says tokens as text, where it was asked so."""
        if not asked.messages:
            return channel
        spelling = self._words().spelling()
        await spelling.feed(asked.tokens)  # was said before the connection broke
        return TextChannel(channel, spelling)

    def _words(self) -> Words:
        """Raises RequestError: the target cannot be asked in text."""
        words = words_of(self.verifier)
        if words is None:
            raise RequestError("this target cannot be asked in text", hint=_OTHER_HINT)
        return words

    def _drafts(self, asked: Open) -> tuple[int, str]:
        """How many tokens of hints are looked at together, and why none are."""
        if asked.messages:
            return 0, _IN_TEXT
        if not asked.vocabulary:
            return 0, ""
        facts = self.verifier.facts
        if not facts.drafts:
            return 0, facts.why or _NO_DRAFTS
        return facts.drafts, ""


async def opening(channel: Channel) -> Open:
    """The frame that opens a generation.

    Raises:
        ProtocolError: it did not come in time, or is another.
        Gone: the device went away.
    """
    try:
        async with asyncio.timeout(OPEN_S):
            frame = await channel.receive()
    except TimeoutError as error:
        raise ProtocolError(f"nothing was asked within {OPEN_S:.0f} s") from error
    if not isinstance(frame, Open):
        raise ProtocolError("the first frame does not open a generation")
    return frame


async def _tell(channel: Channel, fault: Fault) -> None:
    with contextlib.suppress(Gone):
        await channel.send(fault)
