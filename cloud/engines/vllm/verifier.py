"""The Verifier of vLLM: its plugin where the server has it, or else a batch of prefixes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import msgspec

from skerry.cloud.engines.base import Pass, TargetFacts
from skerry.cloud.engines.completions.endpoint import Endpoint
from skerry.cloud.engines.completions.faults import status_fault
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.prefixes import paths, shallow
from skerry.cloud.engines.completions.served import ServedVerifier
from skerry.cloud.engines.completions.verifier import CompletionsVerifier
from skerry.cloud.engines.llama.branches import leaves, with_leaves
from skerry.cloud.engines.vllm import wire
from skerry.cloud.engines.vllm.running import Forgotten, NoSocket, Run, check, wire_fault
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.tree import Tree

MOST_BRANCHES = 8
_FORGOTTEN = 409
_TRIES = 2
_REFUSED_S = 60.0
_log = logging.getLogger(__name__)


class VllmTarget:
    """See `skerry.cloud.engines.base.Target`. The server holds the sequence under a name."""

    cached = 0

    def __init__(
        self,
        owner: VllmVerifier,
        tokens: Sequence[int],
        sampling: Sampling,
        ends: frozenset[int],
        generated: int,
    ) -> None:
        self._owner, self._tokens, self._generated = owner, list(tokens), generated
        self._choosing, self._ends = wire.choosing_of(sampling), tuple(sorted(ends))
        self._session, self._kept = uuid4().hex, 0
        self._run: Run | None = None
        self._said = 0
        """Tokens that were chosen here."""
        self._open = True

    async def look(self, tree: Tree) -> Pass:
        await self._stop()
        branches = branches_of(shallow(tree, self._room() - 1))
        began = time.perf_counter()
        seen = await self._owner.run(self._seen(branches))
        found = self._taken(seen, began)
        self._kept = len(self._tokens)
        return found

    async def following(self, tree: Tree, most: int) -> Pass:
        """See `Runner`. Where no WebSocket reaches the server, a look."""
        most = min(most, self._room())
        if self._owner.sockets.pass_through:
            began = time.perf_counter()
            try:
                seen = await self._owner.run(self._next(tree, most))
            except NoSocket as why:
                self._owner.sockets.refused(str(why))
            else:
                return self._taken(seen, began)
        return await self.look(shallow(tree, most - 1))

    def hear(self, hint: Hint) -> None:
        """See `Runner`."""
        if self._run is not None:
            self._run.hear(hint)

    def _room(self) -> int:
        """Raises RequestError: there is none."""
        room = self._owner.facts.context_tokens - len(self._tokens)
        if room < 1:
            raise RequestError("the target's context is full", hint="ask with less before it")
        return room

    def _taken(self, seen: wire.Seen, began: float) -> Pass:
        self._tokens += seen.tokens
        self._generated += len(seen.tokens)
        self._said += len(seen.tokens)
        if seen.ended and seen.tokens[-1] not in self._ends:
            self._owner.ended.add(seen.tokens[-1])
        return Pass(seen.tokens, seen.drafted, time.perf_counter() - began, seen.ended)

    async def _next(self, tree: Tree, most: int) -> wire.Seen:
        """Of the run that goes on, or of another."""
        for _ in range(_TRIES):
            if self._run is None:
                self._run = self._begun(tree, most)
            try:
                if (seen := await self._run.following()) is not None:
                    return seen
            except Forgotten:  # the server was started anew, or has forgotten
                self._kept = 0
            await self._stop()
        raise TargetError("the target's server ends an answer that is not over")

    def _begun(self, tree: Tree, most: int) -> Run:
        branches = branches_of(shallow(tree, most - 1))
        asked = wire.Run(self._asked(branches), self._said, most)
        return Run(self._owner.endpoint.options, asked)

    async def _stop(self) -> None:
        """Ends the run, if there is one."""
        run, self._run = self._run, None
        if run is not None:
            await run.close()

    async def _seen(self, branches: tuple[tuple[int, ...], ...]) -> wire.Seen:
        seen = await ask(self._owner.endpoint, self._asked(branches))
        if seen is None:  # the server was started anew, or has forgotten
            self._kept = 0
            seen = await ask(self._owner.endpoint, self._asked(branches))
        if seen is None:
            raise TargetError("the target's server does not hold what it was just sent")
        return seen

    def _asked(self, branches: tuple[tuple[int, ...], ...]) -> wire.Look:
        return wire.Look(
            self._session,
            self._kept,
            tuple(self._tokens[self._kept :]),
            branches,
            self._choosing,
            self._generated,
            self._ends,
        )

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._owner.leave()
            await self._stop()


class Sockets:
    """Whether WebSockets reach the server; after one that did not, none is tried for a while."""

    def __init__(self) -> None:
        self._again = 0.0

    @property
    def pass_through(self) -> bool:
        return time.monotonic() >= self._again

    def refused(self, why: str) -> None:
        self._again = time.monotonic() + _REFUSED_S
        _log.warning("no WebSocket reaches vLLM, which is asked for each pass now: %s", why)


class VllmVerifier(ServedVerifier):
    """See `skerry.cloud.engines.base.Verifier`. For a server with the plugin."""

    def __init__(self, endpoint: Endpoint, facts: TargetFacts) -> None:
        super().__init__(endpoint, facts)
        self.sockets = Sockets()

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> VllmTarget:
        self.enter(tokens)
        return VllmTarget(self, tokens, sampling, self.facts.ends | ends, generated)


def connect(
    options: EndpointOptions, tokenizer: Path | None
) -> tuple[VllmVerifier | CompletionsVerifier, str]:
    """A Verifier with the vLLM server that `options` name; blocks while it is asked.

    Also says why the plugin is not used, where it is not.

    Raises:
        TargetError: as `CompletionsVerifier.connect`.
    """
    stock = CompletionsVerifier.connect(options, tokenizer)
    drafts, why = asyncio.run(_probed(stock.endpoint.options))
    if why:
        return stock, why
    facts = stock.facts
    if facts.drafts:
        facts = replace(facts, drafts=min(options.drafts, drafts))
    made = VllmVerifier(Endpoint(stock.endpoint.options), facts)
    made.words = stock.words.of(made) if stock.words else None
    return made, ""


def branches_of(tree: Tree) -> tuple[tuple[int, ...], ...]:
    """The tree as chains from its root to each of its leaves."""
    tree = with_leaves(tree, MOST_BRANCHES)
    drafts = paths(tree)
    return tuple(tuple(drafts[leaf + 1]) for leaf in leaves(tree))


async def ask(endpoint: Endpoint, look: wire.Look) -> wire.Seen | None:
    """What the plugin says; None: it does not hold so much of the session.

    Raises:
        Busy, TargetError: see `Endpoint`.
    """
    url = f"{endpoint.options.url}{wire.LOOK_PATH}"
    status, data = await endpoint.exchange("POST", url, wire.packed(look), wire.MEDIA_TYPE)
    if status == _FORGOTTEN:
        return None
    if status != 200:
        raise status_fault(endpoint.options, status, data)
    try:
        seen = msgspec.msgpack.decode(data, type=wire.Seen)
    except msgspec.MsgspecError as error:
        raise wire_fault(str(error)) from error
    check(seen)
    return seen


async def _probed(options: EndpointOptions) -> tuple[int, str]:
    """How many drafted tokens the plugin looks at together, and why it cannot be used."""
    endpoint = Endpoint(options)
    try:
        status, data = await endpoint.exchange("GET", f"{options.url}{wire.FACTS_PATH}")
        if status != 200:
            return 0, "the server has no plugin of Skerry's"
        facts = _facts(data)
        why = facts.why or await _known_draft(endpoint)
        return facts.drafts, why
    finally:
        await endpoint.close()


def _facts(data: bytes) -> wire.PluginFacts:
    try:
        facts = msgspec.json.decode(data, type=wire.PluginFacts)
    except msgspec.MsgspecError as error:
        return wire.PluginFacts(
            0, "", 0, f"what the server says of its plugin is unreadable: {error}"
        )
    if facts.version != wire.VERSION:
        why = f"its plugin is of another release (version {facts.version}, not {wire.VERSION})"
        return wire.PluginFacts(facts.version, facts.vllm, 0, why)
    return facts


async def _known_draft(endpoint: Endpoint) -> str:
    """Whether what the model says is taken, when it is drafted; why not."""
    greedy = wire.choosing_of(Sampling())
    alone = await ask(endpoint, wire.Look(uuid4().hex, 0, (0,), (), greedy))
    if alone is None:
        return "its plugin does not look at what it is sent"
    draft = wire.Look(uuid4().hex, 0, (0,), (alone.tokens,), greedy)
    seen = await ask(endpoint, draft)
    taken = seen is not None and (seen.drafted == 1 or seen.ended)
    return "" if taken else "its plugin does not take a draft that is known to be right"
