"""What the Verifiers of a target's server have in common: places, and an end for what runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from skerry.cloud.engines.base import TargetFacts
from skerry.cloud.engines.completions.endpoint import Endpoint
from skerry.cloud.errors import Busy, RequestError, TargetError

if TYPE_CHECKING:
    from skerry.cloud.engines.completions.words import ServedWords

Found = TypeVar("Found")
_log = logging.getLogger(__name__)


class ServedVerifier:
    """A server's model, for as many sequences at once as its options say."""

    def __init__(self, endpoint: Endpoint, facts: TargetFacts) -> None:
        self.endpoint, self.facts = endpoint, facts
        self.words: ServedWords | None = None
        self.ended: set[int] = set()
        """Tokens of which the server said that they end an answer."""
        self._free = endpoint.options.sessions
        self._running: set[asyncio.Future[Any]] = set()
        self._closed = False

    def enter(self, tokens: Sequence[int]) -> None:
        """Takes a place for a sequence; `leave` gives it back.

        Raises:
            RequestError: they are no sequence that the target can continue.
            Busy: there is no place.
        """
        _check_tokens(tokens, self.facts)
        if not self._free:
            raise Busy("all sequences of the target are taken", hint="try again in a moment")
        self._free -= 1

    async def run(self, asking: Coroutine[Any, Any, Found]) -> Found:
        """The same, and TargetError when the engine is closed meanwhile.

        What went wrong with the server is logged, and kept from whoever asked: its address and its
        words are its operator's.
        """
        if self._closed:
            asking.close()
            raise TargetError("the engine is closed")
        task = asyncio.ensure_future(asking)
        self._running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._closed:
                raise TargetError("the engine is closed") from None
            raise
        except (TargetError, Busy) as error:
            if self._closed:
                raise TargetError("the engine is closed") from error
            _log.warning("%s", error)
            raise _told(error) from error
        finally:
            self._running.discard(task)

    def leave(self) -> None:
        """A sequence was closed."""
        self._free += 1

    async def close(self) -> None:
        self._closed = True
        for task in self._running:
            task.cancel()
        await self.endpoint.close()


def _told(error: TargetError | Busy) -> TargetError | Busy:
    if isinstance(error, Busy):
        return Busy("the target's server has no room now", hint="try again in a moment")
    what = "the target's server failed"
    return TargetError(what, hint="try again later; the reason is in the cloud tier's log")


def _check_tokens(tokens: Sequence[int], facts: TargetFacts) -> None:
    """Raises RequestError: they are no sequence that the target can continue."""
    if not tokens:
        raise RequestError("there is nothing to continue", hint="send at least one token")
    if len(tokens) >= facts.context_tokens:
        raise RequestError(
            f"{len(tokens)} tokens, where the target's context has {facts.context_tokens}"
        )
    if any(not 0 <= one < facts.size for one in tokens):
        raise RequestError("an id is no token of the target's vocabulary")
