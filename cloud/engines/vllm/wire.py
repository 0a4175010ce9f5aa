"""What travels between the cloud tier and the plugin: MessagePack arrays, as short as they can be.

Both ends are of one release: another `VERSION` is refused, never guessed at.
"""

from __future__ import annotations

from dataclasses import asdict

import msgspec
from msgspec import Struct

from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import Choosing

VERSION = 1
LOOK_PATH = "/skerry/look"
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


class Seen(Struct, array_like=True, frozen=True):
    """What a pass gave: `tokens`, the first `drafted` of them as they were drafted; the sequence
    with them is held from now on. `ended`: the last one ends the answer."""

    tokens: tuple[int, ...]
    drafted: int
    ended: bool


def choosing_of(sampling: Sampling) -> Choosing:
    return Choosing(**asdict(sampling))


def packed(message: Look | Seen) -> bytes:
    return msgspec.msgpack.encode(message)
