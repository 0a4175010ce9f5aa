"""A model on several servers as one target for devices that draft.

A session stays with the server that rendezvous hashing gives it, as requests of other clients do
(`fleet`). Where that fails, in the middle of an answer too, the generation goes on on the next: it
is told the tokens that there are, and chooses what the first one would have.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from uuid import uuid4

from skerry.cloud.engines.base import Pass, Runner, Target, TargetFacts, Verifier, Words, words_of
from skerry.cloud.engines.completions.prefixes import shallow
from skerry.cloud.errors import Busy, CloudTierError, TargetError
from skerry.cloud.gateway.fleet import Replica
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.tree import Tree

Connect = Callable[[str], Verifier]
"""Makes the Verifier of a server's base URL; blocks while the server is asked."""
Order = Callable[[bytes], Sequence[Replica]]
"""The replicas that a session may have, its own first."""
Ask = Callable[[Target], Awaitable[Pass]]

_NOBODY = "no server of this model verifies drafts now"
_LATER = "try again in a moment"


class Replicated:
    """See `skerry.cloud.engines.base.Verifier`; `near` is one for a session.

    The first of `urls` that answers says what is known of the model.

    Raises:
        TargetError: none answers; what the first one said.
    """

    def __init__(self, urls: Sequence[str], connect: Connect) -> None:
        self._connect = connect
        self._verifiers: dict[str, Verifier] = {}
        self._connecting: dict[str, asyncio.Lock] = {}
        self._closed = False
        self.facts = self._first(urls)
        self.words = self._words()
        self._replicas = [Replica("", url) for url in urls]
        self.order: Order = lambda _: self._replicas
        """Replaced where a gateway knows how its replicas are."""

    def near(self, session: bytes) -> Near:
        return Near(self, session)

    async def open(
        self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> Target:  # fmt: skip
        anybody = self.near(uuid4().bytes)
        return await anybody.open(tokens, sampling, generated=generated, ends=ends)

    async def verifier(self, url: str) -> Verifier:
        """That of a server, which is asked who it is when it is first wanted.

        Raises:
            TargetError: it does not answer, or has another model.
        """
        async with self._connecting.setdefault(url, asyncio.Lock()):
            if self._closed:
                raise TargetError("the engine is closed")
            if url not in self._verifiers:
                made = await asyncio.to_thread(self._connect, url)
                if made.facts.vocabulary != self.facts.vocabulary:
                    await made.close()
                    raise TargetError(f"the replica {url} has other tokens than the others")
                self._verifiers[url] = made
            return self._verifiers[url]

    async def close(self) -> None:
        self._closed = True
        for verifier in self._verifiers.values():
            await verifier.close()

    def _first(self, urls: Sequence[str]) -> TargetFacts:
        why: TargetError | None = None
        for url in urls:
            try:
                self._verifiers[url] = verifier = self._connect(url)
            except TargetError as error:
                why = why or error
            else:
                return verifier.facts
        raise why or TargetError(_NOBODY, hint=_LATER)

    def _words(self) -> Words | None:
        (verifier,) = self._verifiers.values()
        return words_of(verifier)


class Near:
    """See `Verifier`: the replicas in the order of one session."""

    def __init__(self, owner: Replicated, session: bytes) -> None:
        self._owner, self._session = owner, session
        self.facts = owner.facts

    async def open(
        self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> Target:  # fmt: skip
        made = Moving(self._owner, self._session, tokens, sampling, generated=generated, ends=ends)
        await made.begin()
        return made

    async def close(self) -> None:
        """Its owner is closed."""


class Moving:
    """See `Target` and `Runner`: on one replica, and on the next where that fails."""

    def __init__(
        self, owner: Replicated, session: bytes, tokens: Sequence[int], sampling: Sampling,
        *, generated: int, ends: frozenset[int],
    ) -> None:  # fmt: skip
        self._owner, self._session = owner, session
        self._tokens, self._generated = list(tokens), generated
        self._sampling, self._ends = sampling, ends
        self._left: set[str] = set()
        """Replicas that failed in this generation."""
        self._target: Target | None = None
        self._replica: Replica | None = None
        self._held = ExitStack()
        self._said = self._began = 0
        """Tokens that were chosen here, and those of them that another replica chose."""

    @property
    def cached(self) -> int:
        return self._target.cached if self._target is not None else 0

    async def begin(self) -> None:
        """On the first replica that lets it in.

        Raises:
            RequestError: none can continue this.
            Busy, TargetError: none does; what the last one said.
        """
        why: CloudTierError = TargetError(_NOBODY, hint=_LATER)
        for replica in self._owner.order(self._session):
            if replica.url in self._left:
                continue
            try:
                await self._enter(replica)
            except (Busy, TargetError) as error:
                why = error
                await self._leave(error)
            else:
                return
        raise why

    async def look(self, tree: Tree) -> Pass:
        return await self._passed(lambda target: target.look(tree))

    async def following(self, tree: Tree, most: int) -> Pass:
        """On an engine that does not go on by itself, a look."""

        def ask(target: Target) -> Awaitable[Pass]:
            if isinstance(target, Runner):
                return target.following(tree, most)
            return target.look(shallow(tree, most - 1))

        return await self._passed(ask)

    def hear(self, hint: Hint) -> None:
        """Its position counts from where this replica began."""
        if isinstance(self._target, Runner) and hint.position >= self._began:
            here = Hint(hint.position - self._began, hint.tree, hint.after)
            self._target.hear(here)

    async def close(self) -> None:
        await self._leave(None)

    async def _passed(self, ask: Ask) -> Pass:
        while True:
            if self._target is None or self._replica is None:
                raise TargetError("the sequence is closed")
            try:
                found = await ask(self._target)
            except (Busy, TargetError) as error:
                await self._leave(error)
                await self._begin_again(error)
            else:
                self._replica.breaker.worked()
                self._tokens += found.tokens
                self._said += len(found.tokens)
                return found

    async def _begin_again(self, error: CloudTierError) -> None:
        """Raises what broke the generation, where nobody goes on."""
        try:
            await self.begin()
        except (Busy, TargetError):
            raise error from None

    async def _enter(self, replica: Replica) -> None:
        self._replica = replica
        self._held.enter_context(replica.busy())
        verifier = await self._owner.verifier(replica.url)
        self._target = await verifier.open(
            self._tokens, self._sampling, generated=self._generated + self._said, ends=self._ends
        )
        self._began = self._said

    async def _leave(self, error: CloudTierError | None) -> None:
        """The replica, which failed if there is an error."""
        target, self._target = self._target, None
        replica, self._replica = self._replica, None
        if replica is not None:
            if error is None:
                replica.breaker.left()
            else:
                self._left.add(replica.url)
                replica.breaker.failed(time.monotonic())
        self._held.close()
        if target is not None:
            await target.close()
