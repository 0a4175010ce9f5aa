"""A simulated target that can be asked in text, and whose tokens no device shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skerry.cloud.engines.spelling import PieceSpelling
from skerry.cloud.errors import RequestError
from skerry.cloud.hints.choice import Sampling
from skerry.cloud.hints.frames import VERSION, Choosing, Message, Open
from skerry.cloud.hints.tree import Tree
from tests.cloud.simulated import END, SIZE, SimulatedTarget, SimulatedVerifier

OTHER = b"o" * 32
MESSAGES = (Message("system", "Be short."), Message("user", "What is the sea?"))
ASKED = Open(VERSION, "", b"", (), Choosing(1.0, seed=8), max_tokens=40, messages=MESSAGES)
_BYTES = {1: b"\xc3", 2: b"\xa9", 3: b"\xe6", 4: b"\xb5\xb7"}
"""Halves of characters: é and 海."""


def piece(token: int) -> bytes:
    return _BYTES.get(token, bytes([ord("a") + token]))


def prompt_of(messages: Sequence[Message]) -> list[int]:
    """Tokens that depend on every character."""
    return [sum(map(ord, one.role + one.content)) % (SIZE - 1) + 1 for one in messages]


class Words:
    """See `skerry.cloud.engines.base.Words`. A system message after the first is refused."""

    async def prompt(self, messages: Sequence[Message]) -> list[int]:
        if any(one.role == "system" for one in messages[1:]):
            raise RequestError("the target's chat template does not take these messages")
        return prompt_of(messages)

    def spelling(self) -> PieceSpelling:
        return PieceSpelling(piece, frozenset({END}))


class TalkingVerifier(SimulatedVerifier):
    def __init__(self, vocabulary: bytes = OTHER) -> None:
        super().__init__()
        self.facts = replace(self.facts, vocabulary=vocabulary)
        self.words = Words()

    async def open(
        self, tokens: Sequence[int], sampling: Sampling, *, generated: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> SimulatedTarget:  # fmt: skip
        if max(tokens) >= SIZE:
            raise RequestError("an id is no token of the target's vocabulary")
        return await super().open(tokens, sampling, generated=generated, ends=ends)


async def said_alone(asked: Open) -> tuple[list[int], str]:
    """What the target says, and its text."""
    target = SimulatedTarget(prompt_of(asked.messages), asked.choosing.sampling(), frozenset({END}))
    tokens, spelling = list[int](), Words().spelling()
    while len(tokens) < asked.max_tokens and tokens[-1:] != [END]:
        tokens += (await target.look(Tree())).tokens
    return tokens, await spelling.feed(tokens)
