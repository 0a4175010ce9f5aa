"""What a split generation took: drafts that were sent and taken, and forward passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from skerry.edge.split.client import SplitGeneration
    from skerry.edge.split.streamed import TextGeneration


@dataclass(frozen=True, slots=True)
class SplitReport:
    """`tokens` of the answer were verified in `passes` forward passes of the target `model`.

    `drafted` tokens were guessed here and sent, `taken` of them stand in the answer. `why` drafts
    were not wanted; empty where they were. The connection was made anew `resumed` times; `alone`
    tokens at the end were not verified: the device went on by itself, because of `broke`.
    `streamed`: nothing could be drafted for the target, whose text was streamed.
    """

    model: str
    tokens: int
    passes: int
    drafted: int
    taken: int
    why: str = ""
    resumed: int = 0
    alone: int = 0
    broke: str = ""
    streamed: bool = False

    @classmethod
    def of_text(cls, generation: TextGeneration) -> Self:
        opened, done = generation.opened, generation.done
        return cls(
            model=opened.model if opened else "",
            tokens=len(generation.tokens),
            passes=done.passes if done else generation.passes,
            drafted=0,
            taken=0,
            why=generation.why,
            resumed=generation.resumed,
            streamed=True,
        )

    @classmethod
    def of(cls, generation: SplitGeneration) -> Self:
        opened, done, ahead = generation.opened, generation.done, generation.ahead
        return cls(
            model=opened.model if opened else "",
            tokens=len(ahead.generated),
            passes=done.passes if done else generation.passes,
            drafted=ahead.drafted,
            taken=ahead.hit,
            why=opened.why if opened else "",
            resumed=generation.resumed,
        )
