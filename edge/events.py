"""What a runtime tells while it answers: one frozen event per thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skerry.edge.types import Route, Tier

if TYPE_CHECKING:
    from skerry.edge.engines.base import FinishReason
    from skerry.edge.index.types import Chunk
    from skerry.edge.receipts import Receipt
    from skerry.guardrails.answer import Verdict


@dataclass(frozen=True, slots=True)
class RouteDecided:
    route: Route


@dataclass(frozen=True, slots=True)
class Citation:
    """The source behind `[mark]`, and where in its document it lies.

    `score` is retrieval's fused score and `similarity` the cosine with the question.
    """

    mark: int
    chunk: Chunk
    score: float
    similarity: float


@dataclass(frozen=True, slots=True)
class SourcesFound:
    """The sources that the answer may cite, best first.

    `read_as` is the question as they spell it, where that differs. `no_documents`: there are none
    at all, and the question is about some: what follows are a model's own words.
    """

    sources: tuple[Citation, ...]
    read_as: str | None = None
    no_documents: bool = False


@dataclass(frozen=True, slots=True)
class TierFailed:
    """A tier could not answer; `next` does. Text shown before this is void."""

    tier: Tier
    next: Tier
    why: str


@dataclass(frozen=True, slots=True)
class TextReleased:
    """Text that passed the gate. The concatenation since the last `TierFailed` is the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a question got: gated text, the sources that it cites, and the receipt."""

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict
    finish: FinishReason
    receipt: Receipt

    @property
    def doubtful(self) -> bool:
        """Whether the answer confidence is so low that its reader should be told."""
        from skerry.edge.receipts.words import is_doubtful

        return is_doubtful(self.receipt)

    @property
    def unfounded(self) -> bool:
        """Whether a model on this device answered a question in its own words, without any
        document: its reader should be told that nothing checked them."""
        from skerry.edge.receipts.words import is_unfounded

        return is_unfounded(self.receipt)

    @property
    def unverified(self) -> bool:
        """Whether the cloud that verifies went away, and the device wrote the end alone; the
        receipt's line of what left says how many tokens that is."""
        from skerry.edge.receipts.words import unverified

        return bool(unverified(self.receipt))


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a stream."""

    reply: Reply


Event = RouteDecided | SourcesFound | TierFailed | TextReleased | Finished
