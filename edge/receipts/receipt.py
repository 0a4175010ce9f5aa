"""The receipt of one answer: what was decided and why, what was used, what left the device.

Plain data, schema `skerry.receipt/1`. A field may be added under the same name; anything else
needs a new number. Writing receipts out and keeping them is `codec`'s and `store`'s work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from skerry.edge.policy.request import PolicyInput
from skerry.edge.types import Consent, Route, Tier
from skerry.guardrails.findings import Finding

SCHEMA: Final = "skerry.receipt/1"


def digest(text: str) -> str:
    """SHA-256 (hex) of `text` as UTF-8. It hides nothing: a short text can be guessed."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `text` is None where the device keeps no text.

    `searched_for` is what it was read as, where that differs: with the question before it, or
    with a word spelt as the documents spell it.
    """

    digest: str
    text: str | None
    searched_for: str | None = None

    @classmethod
    def of(cls, text: str, searched_for: str | None = None) -> Self:
        return cls(digest(text), text, None if searched_for == text else searched_for)


@dataclass(frozen=True, slots=True)
class PolicyUsed:
    """The policy that decided: its version and the digest of its content."""

    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class ModelUsed:
    """The model that answered. `digest` is empty for a model that only a cloud knows."""

    name: str
    digest: str
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class PartUsed:
    """A part of a runtime that runs a bundle; `digest` is that of the file that stands for it."""

    name: str
    origin: Literal["bundle", "installed", "settings"]
    digest: str


@dataclass(frozen=True, slots=True)
class BundleUsed:
    """The bundle that was run: `digest` is that of its manifest, `variant` the model's form.

    `parts` are what it was run with: its own, and what is installed or set in their place.
    """

    name: str
    digest: str
    variant: str
    parts: tuple[PartUsed, ...] = ()


@dataclass(frozen=True, slots=True)
class ChunkUsed:
    """A source that the answer could cite; `mark` is its number there.

    `heading` is the path of headings that the chunk is under, the document's title first.
    `cited`: the answer cites it. `findings` are the labels of what screening found in it.
    `collection` is the cloud collection that it came from, empty for the device's own; the id of
    such a source means nothing beyond this receipt.
    """

    id: int
    title: str
    version: str
    source: str
    mark: int
    heading: tuple[str, ...] = ()
    cited: bool = False
    findings: tuple[str, ...] = ()
    collection: str = ""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of the prompt, how many of them were reused from the KV cache, and of the answer."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A call of a tool, also one that was refused: `outcome` is `ok`, `not_allowed`, ….

    `ms` is the time of the tool alone; `confirmed`: a person agreed to exactly this call.
    `digest` is the SHA-256 of `arguments`, a JSON object, which is None where no text is kept.
    """

    name: str
    outcome: str
    ms: float
    confirmed: bool
    digest: str
    arguments: str | None


@dataclass(frozen=True, slots=True)
class SplitUsed:
    """How an answer was shared with a cloud that verifies.

    `tokens` of the answer were verified in `passes` forward passes of the target `model`. `drafted`
    tokens were guessed here and sent, `taken` of them stand in the answer. `why` no drafts were
    wanted; empty where they were. The connection was made anew `resumed` times. `alone` tokens at
    the end were not verified: the device went on by itself, because of `broke`. `streamed`:
    nothing could be drafted for the target, whose text was streamed.
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


@dataclass(frozen=True, slots=True)
class VectorSent:
    """A vector of the question that left to search a cloud collection.

    `digest` is the SHA-256 (hex) of its int8 codes, one for each of its `dimensions`.
    """

    collection: str
    dimensions: int
    digest: str


@dataclass(frozen=True, slots=True)
class CollectionAsked:
    """A cloud collection that was wanted for a question, and what came of it.

    `outcome` is `found`, `nothing`, `not_sent` (nothing left, see `why`) or `failed` (see `why`).
    `passages` of it were taken, from the version that `digest` names.
    """

    name: str
    outcome: Literal["found", "nothing", "not_sent", "failed"]
    passages: int = 0
    digest: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Egress:
    """One line of the ledger of what left the device, kept also when nothing came back.

    Bytes are of request and response bodies. `what` names the parts that were sent
    (`question`, `chunks:[1,2]`, `history`, `vector`); `redactions` counts the identifiers that were
    replaced first, `replaced` those of each label; `approved`: a person saw and approved exactly
    this. `split` is there where the answer was drafted here and verified there, `vector` where
    nothing but a vector left.
    """

    destination: str
    bytes_sent: int
    bytes_received: int
    what: tuple[str, ...]
    redactions: int
    consent: Consent
    approved: bool
    attempts: int = 1
    replaced: Mapping[str, int] = field(default_factory=dict)
    split: SplitUsed | None = None
    vector: VectorSent | None = None


@dataclass(frozen=True, slots=True)
class StepTiming:
    """How long a step took, in milliseconds."""

    name: str
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Everything that explains one answer.

    `created_at` is Unix seconds, UTC. `input` is all that policy decided on, so that another
    policy can be tried on it. `answered_by` is the tier that answered in the end, None if none
    did; `fell_back` says why it is not the route's. `findings` are those of the whole
    request: question, chunks and output. `answer_confidence` is a calibrated probability.
    `verdict` is the gate's word, None when nothing reached it. `finish` is how the answer ended:
    `stop`, `length` or `cancelled`.
    """

    schema: Literal["skerry.receipt/1"] = SCHEMA
    id: str
    created_at: float
    session: str | None = None
    question: Question
    input: PolicyInput
    route: Route
    policy: PolicyUsed
    answered_by: Tier | None
    fell_back: str | None = None
    model: ModelUsed | None = None
    bundle: BundleUsed | None = None
    encoder: str | None = None
    findings: tuple[Finding, ...] = ()
    chunks: tuple[ChunkUsed, ...] = ()
    usage: TokenUsage | None = None
    tools: tuple[ToolUsed, ...] = ()
    egress: tuple[Egress, ...] = ()
    collections: tuple[CollectionAsked, ...] = ()
    steps: tuple[StepTiming, ...] = ()
    ttft_ms: float | None = None
    total_ms: float
    answer_confidence: float | None = None
    verdict: str | None = None
    verdict_details: tuple[str, ...] = ()
    finish: str | None = None
    output_digest: str | None = None
    error: str | None = None
