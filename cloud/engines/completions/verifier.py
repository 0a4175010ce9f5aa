"""The Verifier of the completions API: each pass is a batch of prefixes, one token each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from skerry.cloud.engines.base import Pass, TargetFacts
from skerry.cloud.engines.completions.answers import Choice, Served
from skerry.cloud.engines.completions.dialects import Dialect, dialect_of
from skerry.cloud.engines.completions.endpoint import Endpoint
from skerry.cloud.engines.completions.faults import StatusFault
from skerry.cloud.engines.completions.options import EndpointOptions
from skerry.cloud.engines.completions.prefixes import accepted, paths, shallow
from skerry.cloud.engines.completions.served import ServedVerifier
from skerry.cloud.engines.completions.vocabulary import (
    SAMPLE,
    UNKNOWN,
    Vocabulary,
    read_vocabulary,
)
from skerry.cloud.engines.completions.words import ServedWords, can_talk
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.tree import Tree

_CONTEXT = 4_096
_NOT_TAKEN = frozenset({400, 422, 500})  # the last by llama-cpp-python's server
_NO_TOKENIZER = "the cloud was not told the target's tokens: start it with --tokenizer"


@dataclass(frozen=True, slots=True)
class _How:
    """How a sequence is continued."""

    sampling: Sampling
    ends: frozenset[int]


class CompletionsTarget:
    """See `skerry.cloud.engines.base.Target`."""

    cached = 0

    def __init__(
        self, owner: CompletionsVerifier, tokens: Sequence[int], how: _How, generated: int
    ) -> None:
        self._owner, self._how = owner, how
        self._tokens = list(tokens)
        self._start = len(tokens) - generated
        self._open = True

    async def look(self, tree: Tree) -> Pass:
        room = self._owner.facts.context_tokens - len(self._tokens)
        if room < 1:
            raise RequestError("the target's context is full", hint="ask with less before it")
        tree = shallow(tree, room - 1)
        began = time.perf_counter()
        choices = await self._owner.run(self._choices(tree))
        found, drafted = accepted(tree, choices, self._how.ends)
        self._tokens += (one.token for one in found)
        self._owner.ended |= {one.token for one in found if one.ended}
        seconds = time.perf_counter() - began
        return Pass(tuple(one.token for one in found), drafted, seconds, found[-1].ended)

    async def _choices(self, tree: Tree) -> list[Choice]:
        """[1 + nodes]. What is chosen in the same way goes in one request, all at once."""
        alike: dict[str, tuple[dict[str, object], list[int]]] = {}
        drafts = paths(tree)
        for number, path in enumerate(drafts):
            said = [*self._tokens[self._start :], *path] if self._how.sampling.penalizes else ()
            position = len(self._tokens) + len(path)
            fields = self._owner.dialect.fields(self._how.sampling, position, said)
            alike.setdefault(repr(fields), (fields, []))[1].append(number)
        asked = [
            self._owner.endpoint.complete([self._tokens + drafts[i] for i in numbers], fields)
            for fields, numbers in alike.values()
        ]
        answers = await _all(asked)
        numbered = {
            number: choice
            for (_, numbers), choices in zip(alike.values(), answers, strict=True)
            for number, choice in zip(numbers, choices, strict=True)
        }
        return [numbered[number] for number in range(len(drafts))]

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._owner.leave()


class CompletionsVerifier(ServedVerifier):
    """See `skerry.cloud.engines.base.Verifier`."""

    def __init__(self, endpoint: Endpoint, dialect: Dialect, facts: TargetFacts) -> None:
        super().__init__(endpoint, facts)
        self.dialect = dialect

    @classmethod
    def connect(cls, options: EndpointOptions, tokenizer: Path | None) -> CompletionsVerifier:
        """With the server that `options` name, which must run; blocks while it is asked.

        Raises:
            TargetError: it cannot be reached, has no such model, takes no token ids or does not
                tell them, or has other tokens than `tokenizer`.
        """
        vocabulary = read_vocabulary(tokenizer) if tokenizer else UNKNOWN
        return asyncio.run(cls._connected(options, vocabulary))

    @classmethod
    async def _connected(
        cls, options: EndpointOptions, vocabulary: Vocabulary
    ) -> CompletionsVerifier:
        endpoint = Endpoint(options)
        try:
            model = _model(await endpoint.models(), options.model)
            options = endpoint.options = replace(options, model=model.name)
            dialect = dialect_of(model.owner)
            await _check_prompts(endpoint, dialect)
            await _check_tokens(endpoint, vocabulary)
            talks = await can_talk(endpoint, dialect, vocabulary)
        finally:
            await endpoint.close()
        context = model.context_tokens or _CONTEXT
        facts = TargetFacts(
            model.name,
            vocabulary.digest,
            vocabulary.size,
            vocabulary.ends,
            min(context, options.context_tokens or context),
            options.drafts if vocabulary.digest else 0,
            "" if vocabulary.digest else _NO_TOKENIZER,
        )
        made = cls(Endpoint(options), dialect, facts)
        made.words = ServedWords(made, dialect, vocabulary) if talks else None
        return made

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> CompletionsTarget:
        self.dialect.check(sampling)
        self.enter(tokens)
        return CompletionsTarget(self, tokens, _How(sampling, self.facts.ends | ends), generated)


async def _all(asked: Sequence[Coroutine[Any, Any, list[Choice]]]) -> list[list[Choice]]:
    """What they come to; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asked]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _model(served: Sequence[Served], wanted: str) -> Served:
    names = ", ".join(f"'{one.name}'" for one in served)
    found = [one for one in served if wanted in ("", one.name)]
    if len(found) == 1:
        return found[0]
    if not found:
        what = f"the target's server has no model '{wanted}'" if wanted else "it has no model"
        raise TargetError(what, hint=f"it has {names}" if names else "load one there")
    raise TargetError("the target's server has several models", hint=f"name one of {names}")


async def _check_prompts(endpoint: Endpoint, dialect: Dialect) -> None:
    """Raises TargetError: the server takes no list of prompts of ids, or tells none."""
    try:
        await endpoint.complete([[0], [0, 0]], dialect.fields(Sampling(), 1, ()))
    except StatusFault as error:
        if error.status not in _NOT_TAKEN:
            raise
        hint = "use a server that takes token ids for prompts: vLLM, SGLang or llama-server"
        raise TargetError(error.what, hint=hint) from error


async def _check_tokens(endpoint: Endpoint, vocabulary: Vocabulary) -> None:
    """Raises TargetError: the server tokenises a text in another way than the file."""
    if not vocabulary.sample:
        return
    there = await endpoint.tokenized(SAMPLE)
    if there is not None and tuple(there) != vocabulary.sample:
        raise TargetError(
            "the target's server has other tokens than the tokenizer that was given",
            hint="give the tokenizer of the model that it serves",
        )
