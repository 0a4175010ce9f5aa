"""What travels between the cloud tier and the plugin: MessagePack arrays, as short as they can be.

A look is a request. A run is a WebSocket: `Run` first, then `Heard` for each hint; the plugin sends
`Seen` for each pass, and closes.

Both ends are of one release: another `VERSION` is refused, never guessed at.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Self

import msgspec
from msgspec import Struct

from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import Choosing
from skerry.cloud.hints.matcher import Hint
from skerry.cloud.hints.tree import Tree

VERSION = 2
LOOK_PATH = "/skerry/look"
RUN_PATH = "/skerry/run"
CLOSED = 4_000
"""A run that cannot go on is closed with this and an HTTP status (RFC 6455, 7.4.2)."""
FACTS_PATH = "/skerry"
MEDIA_TYPE = "application/msgpack"


class PluginFacts(Struct, frozen=True):
    """What the plugin says of itself. `why` it cannot verify; empty: it can, `drafts` at once."""

    version: int
    vllm: str
    drafts: int
    why: str = ""


class Look(Struct, array_like=True, frozen=True):
    """One pass over a sequence: the first `kept` tokens that are held of `session`, then `tokens`.

    `branches` are drafts that may follow, each from the sequence's end. The last `generated` tokens
    of the sequence count for penalties. `ends` end it besides the model's own.
    """

    session: str
    kept: int
    tokens: tuple[int, ...]
    branches: tuple[tuple[int, ...], ...]
    choosing: Choosing = Choosing()
    generated: int = 0
    ends: tuple[int, ...] = ()


class Run(Struct, array_like=True, frozen=True):
    """Passes over the sequence of `look` until `most` tokens are chosen; the first one looks at its
    first branch. The first of them is for the position `at`, from which hints count."""

    look: Look
    at: int
    most: int


class Heard(Struct, array_like=True, frozen=True):
    """A hint: see `skerry.cloud.hints.frames.Draft`. `parents`: of each token in the tree, -1 for
    none; empty: each follows the one before it."""

    position: int
    tokens: tuple[int, ...]
    after: int
    parents: tuple[int, ...] = ()

    @classmethod
    def of(cls, hint: Hint) -> Self:
        tree = hint.tree
        return cls(hint.position, tree.tokens, hint.after, () if tree.is_chain else tree.parents)

    def hint(self) -> Hint:
        """Raises ValueError: the parents are not those of the tokens."""
        parents = self.parents or tuple(range(-1, len(self.tokens) - 1))
        return Hint(self.position, Tree(self.tokens, parents), self.after)


class Seen(Struct, array_like=True, frozen=True):
    """What a pass gave: `tokens`, the first `drafted` of them as they were drafted; the sequence
    with them is held from now on. `ended`: the last one ends the answer."""

    tokens: tuple[int, ...]
    drafted: int
    ended: bool


def choosing_of(sampling: Sampling) -> Choosing:
    return Choosing(**asdict(sampling))


def packed(message: Look | Run | Heard | Seen) -> bytes:
    return msgspec.msgpack.encode(message)
