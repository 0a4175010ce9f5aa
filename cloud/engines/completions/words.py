"""What a target's server says and is told in text: by its own chat template, and the text of tokens
from the tokenizer that was given, or else from the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from skerry.cloud.engines.base import Spelling
from skerry.cloud.engines.chat import without_system
from skerry.cloud.engines.completions.dialects import Dialect
from skerry.cloud.engines.completions.endpoint import Endpoint
from skerry.cloud.engines.completions.faults import StatusFault
from skerry.cloud.engines.completions.served import ServedVerifier
from skerry.cloud.engines.completions.vocabulary import SAMPLE, Vocabulary
from skerry.cloud.errors import CloudTierError, RequestError
from skerry.cloud.hints.frames import Message

_REFUSED = {"whole": frozenset({400, 422}), "apart": frozenset({400, 422, 500})}
"""What a server answers where its template refuses: llama-server as if it had failed."""
_PROBE = (Message("user", SAMPLE),)
_PARTIAL = "\ufffd"
"""What a server says in place of bytes that make no character, or none yet."""
_MOST_KEPT, _LEAST_KEPT = 64, 8


class Detokenizing(Protocol):
    async def __call__(self, tokens: Sequence[int]) -> str: ...


class ServedSpelling:
    """See `skerry.cloud.engines.base.Spelling`. The server says what the tokens are.

    What a token adds is the difference that it makes to the text of those before it, of which a few
    suffice.
    """

    def __init__(self, detokenized: Detokenizing, ended: set[int]) -> None:
        """`ended` are tokens that have ended answers; it may grow meanwhile."""
        self._detokenized, self._ended = detokenized, ended
        self._tokens: list[int] = []
        self._told = ""

    async def feed(self, tokens: Sequence[int]) -> str:
        new = [one for one in tokens if one not in self._ended]
        self._tokens += new
        whole = await self._whole() if new else self._told
        text, self._told = whole[len(self._told) :], whole
        if len(self._tokens) > _MOST_KEPT:
            del self._tokens[:-_LEAST_KEPT]
            self._told = await self._whole()
        return text

    async def _whole(self) -> str:
        """What the tokens say, but for a character that is not whole yet."""
        return (await self._detokenized(self._tokens)).rstrip(_PARTIAL)


class ServedWords:
    """See `skerry.cloud.engines.base.Words`. The server's `dialect` renders chats."""

    def __init__(self, owner: ServedVerifier, dialect: Dialect, vocabulary: Vocabulary) -> None:
        self._owner, self._dialect, self._vocabulary = owner, dialect, vocabulary

    def of(self, owner: ServedVerifier) -> ServedWords:
        """The same words, of another verifier of the same server."""
        return ServedWords(owner, self._dialect, self._vocabulary)

    async def prompt(self, messages: Sequence[Message]) -> list[int]:
        asked = (self._owner.endpoint, self._dialect)
        try:
            return await self._owner.run(_rendered(*asked, messages))
        except RequestError:
            merged = without_system(messages)
            if merged is None:
                raise
            return await self._owner.run(_rendered(*asked, merged))

    def spelling(self) -> Spelling:
        owner = self._owner
        if self._vocabulary.spelling is not None:
            return self._vocabulary.spelling(owner.facts.ends)

        async def detokenized(tokens: Sequence[int]) -> str:
            return await owner.run(owner.endpoint.detokenized(tokens))

        return ServedSpelling(detokenized, owner.ended)


async def can_talk(endpoint: Endpoint, dialect: Dialect, vocabulary: Vocabulary) -> bool:
    """Whether the server renders a chat and, where nobody else can, says what tokens are."""
    if not dialect.renders:
        return False
    try:
        tokens = await _rendered(endpoint, dialect, _PROBE)
        knows = vocabulary.spelling is not None
        return bool(tokens and (knows or await endpoint.detokenized(tokens)))
    except CloudTierError:
        return False


async def _rendered(endpoint: Endpoint, dialect: Dialect, messages: Sequence[Message]) -> list[int]:
    told = [{"role": one.role, "content": one.content} for one in messages]
    try:
        return await endpoint.rendered(told, apart=dialect.renders == "apart")
    except StatusFault as error:
        if error.status not in _REFUSED[dialect.renders]:
            raise
        raise RequestError(
            "the target's chat template does not take these messages",
            hint="check the roles and their order",
        ) from error
