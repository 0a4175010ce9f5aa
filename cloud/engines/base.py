"""What an engine of the cloud tier is: the Protocol behind which every target model sits.

`tests/cloud/conformance.py` is the suite that every engine passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import Message
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.tree import Tree


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What is known of a target model.

    `vocabulary` is `skerry.cloud.hints.vocabulary.digest` of its tokens, `size` how many they are,
    `ends` those that end an answer. `drafts` tokens can be looked at in one pass; 0: none,
    and `why`.
    """

    model: str
    vocabulary: bytes
    size: int
    ends: frozenset[int]
    context_tokens: int
    drafts: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one forward pass gave: `tokens`, the first `drafted` of them as they were drafted.

    `seconds` is what the pass took, without waiting for its turn. `ended`: the engine says that
    the last token ends the answer, whether or not it is one of the sequence's ends.
    """

    tokens: tuple[int, ...]
    drafted: int
    seconds: float
    ended: bool = False


@runtime_checkable
class Target(Protocol):
    """One sequence that a target model continues. One caller at a time."""

    @property
    def cached(self) -> int:
        """Tokens of the sequence that were held before it was opened."""
        ...

    async def look(self, tree: Tree) -> Pass:
        """One forward pass: at least one token, and those of the tree that the target chooses.

        Nothing follows one of the sequence's ends.

        Raises:
            RequestError: the context is full.
            TargetError: the engine failed.
        """
        ...

    async def close(self) -> None:
        """Frees the sequence's place. May be called twice."""
        ...


@runtime_checkable
class Runner(Protocol):
    """A Target whose engine goes on by itself, a pass after another, and takes hints meanwhile:
    there is no way to and fro between two passes. `Target.look` ends such a run."""

    async def following(self, tree: Tree, most: int) -> Pass:
        """The next pass of the run. Where none runs, one begins, for `most` tokens at most, and
        its first pass looks at `tree`.

        Raises:
            As `Target.look`.
        """
        ...

    def hear(self, hint: Hint) -> None:
        """A hint for the passes to come, its position from the generation's first token on; where
        none runs it is forgotten. Does not wait."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """An engine with a target model. Shared by the tasks of one event loop."""

    @property
    def facts(self) -> TargetFacts: ...

    async def open(
        self,
        tokens: Sequence[int],
        sampling: Sampling,
        *,
        generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> Target:
        """A sequence to continue. The last `generated` of its tokens count for penalties; `ends`
        end it besides the model's own.

        Raises:
            RequestError: it is empty, too long, or has an id that is no token.
            Busy: there is no room for it now.
            TargetError: the engine failed.
        """
        ...

    async def close(self) -> None:
        """Frees the model. Running passes end with TargetError. May be called twice."""
        ...


@runtime_checkable
class Spread(Protocol):
    """A Verifier that is several, of one model."""

    def near(self, session: bytes) -> Verifier:
        """For a session: the same one each time, as long as it is there."""
        ...


class Spelling(Protocol):
    """Turns the tokens of one answer into text, in order. One caller at a time."""

    async def feed(self, tokens: Sequence[int]) -> str:
        """What they add: whole characters. Those that end an answer say nothing.

        Raises:
            TargetError: the engine failed.
        """
        ...


class Words(Protocol):
    """A target model's own chat template and the text of its tokens. Shared by the tasks of one
    event loop."""

    async def prompt(self, messages: Sequence[Message]) -> list[int]:
        """The tokens that the model reads when it is to answer `messages`.

        Raises:
            RequestError: they are too long, or the model's chat template does not take them.
            TargetError: the engine failed.
        """
        ...

    def spelling(self) -> Spelling: ...


@runtime_checkable
class Wordy(Protocol):
    """A Verifier that can be asked in text, if it has `words`."""

    @property
    def words(self) -> Words | None: ...


def words_of(verifier: Verifier) -> Words | None:
    """None: the target cannot be asked in text."""
    return verifier.words if isinstance(verifier, Wordy) else None
