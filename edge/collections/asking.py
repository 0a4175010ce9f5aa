"""Widens a question that this device's documents do not answer to cloud collections.

In this order: may a vector leave, is its text redacted, does a person approve; then it is searched
for, and what came is screened. Whatever fails leaves the question to the device.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from skerry.cloud.collections.wire import MOST_PASSAGES
from skerry.edge.assembly import Decided, work_on
from skerry.edge.collections.foreign import chunks_of, hits_of, usable
from skerry.edge.collections.preview import VectorPreview
from skerry.edge.errors import Cancelled, CloudError, EncoderError
from skerry.edge.escalate.meter import Meter
from skerry.edge.index.types import Hit, IndexSettings
from skerry.edge.parts import worth_reading
from skerry.edge.policy import PolicyInput, VectorRule, decide, vector_rule
from skerry.edge.receipts import CollectionAsked, VectorSent
from skerry.edge.screening import encoding, identifiers_before, may_leave, names_in
from skerry.edge.sources import screen_sources
from skerry.edge.tiers import Departure, Work
from skerry.edge.types import RequestClass, Tier
from skerry.edge.understanding import searched
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.pseudonyms import Pseudonyms
from skerry.guardrails.screen import screen_whole

if TYPE_CHECKING:
    from skerry.cloud.collections.wire import Answer
    from skerry.edge.encoder import Vectors
    from skerry.edge.parts import Parts

_CLASSES = frozenset({RequestClass.LOOKUP, RequestClass.QUESTION})
Outcome = Literal["not_sent", "failed"]
_IDS = 1_000  # more than passages come of one collection
_OTHER_FIRST = "a person is asked about the whole question first, which goes to the cloud tier"
_NOT_APPROVED = "sending a vector of the question was not approved"


def is_wanted(work: Work) -> bool:
    """Whether the documents here do not answer: no passage of theirs takes up what is asked.

    A question about another time is not asked elsewhere: collections have what is in force.
    """
    route, request = work.route, work.request
    return (
        route.request_class in _CLASSES
        and route.tier not in (Tier.REFUSE, Tier.HUMAN)
        and not (work.own_words or request.grammar is not None or request.as_of is not None)
        and work.quotation() is None
    )


def widened(
    work: Work, decided: Decided, parts: Parts, names: Sequence[str] | None = None
) -> tuple[Work, Decided]:
    """The work and its decision with what cloud collections have, or as they were.

    `names` are the collections; None is those of the settings. What left is in the work's ledger,
    and what came of each collection in `collections`.

    Raises:
        EdgeError: whoever is asked to approve ends the answer.
    """
    given = _with_names(work, decided, parts)
    rule = _rule(given, work, decided, parts)
    names = parts.collections.names if names is None else names
    if rule.blocks:
        _note_all(work, names, rule.why)
        return work, decided
    try:
        question = _Question.of(work, decided, parts)
    except GuardrailError as error:
        _note_all(work, names, error.what)
        return work, decided
    try:
        previews = [question.preview(name) for name in names]
    except EncoderError as error:
        _note_all(work, names, error.what)
        return work, decided
    if rule.needs_approval and (why := _not_approved(work, previews)):
        _note_all(work, names, why)
        return work, decided
    hits: list[Hit] = []
    for number, preview in enumerate(previews):
        hits += question.asked_of(preview, rule, first=-1 - _IDS * number)
    return _with_hits(work, decided, parts, given, hits)


def _not_approved(work: Work, previews: Sequence[VectorPreview]) -> str:
    """Why a person did not approve, once for all collections; empty where one did."""
    if work.route.tier.leaves_device:
        return _OTHER_FIRST
    first, *rest = previews
    shown = replace(first, also=tuple(one.collection for one in rest))
    approve = work.request.approve
    return "" if approve is not None and approve(shown) else _NOT_APPROVED


def _with_names(work: Work, decided: Decided, parts: Parts) -> PolicyInput:
    """The decision's input, with the names in the question and in what was said before."""
    given, request = decided.given, work.request
    if may_leave(decided.route):  # they were looked for already
        return given
    before = identifiers_before(parts.said_before(request), parts.networks)
    names = names_in(request.question, parts.networks)
    return replace(given, findings=(*given.findings, *names, *before))


def _rule(given: PolicyInput, work: Work, decided: Decided, parts: Parts) -> VectorRule:
    said = replace(given, labels=parts.labels_said(work.request))
    return vector_rule(said, decided.policy)


def _note_all(work: Work, names: Sequence[str], why: str) -> None:
    work.collections.extend(CollectionAsked(name, "not_sent", why=why) for name in names)


@dataclass(frozen=True, slots=True)
class _Question:
    """A question as it is asked of collections: `text` is redacted, `vector` is of that text.

    `until` is when all of them must have answered, in seconds of `time.monotonic`.
    """

    work: Work
    decided: Decided
    parts: Parts
    text: str
    vector: Vectors
    pseudonyms: Pseudonyms
    until: float

    @classmethod
    def of(cls, work: Work, decided: Decided, parts: Parts) -> _Question:
        """Raises GuardrailError: the text cannot be screened."""
        whole, pseudonyms = searched(decided.asked), work.surrogates.load()
        text = whole
        if work.route.redact:
            text = pseudonyms.replace(whole, screen_whole(whole, networks=parts.networks))
            work.surrogates.keep(pseudonyms)
        vector = decided.vector if text == whole else parts.encoder.encode([text])[0]
        seconds = min(parts.settings.collections_s, work.route.budget.total_ms / 1e3)
        until = time.monotonic() + seconds
        return cls(work, decided, parts, text, vector, pseudonyms, until)

    def preview(self, name: str) -> VectorPreview:
        """What would be sent to a collection. Raises EncoderError: the text has no vector."""
        most = min(self.parts.settings.top_k, MOST_PASSAGES)
        return self.parts.collections.preview(
            name, self.text, self.vector, self.parts.encoder,
            passages=most, redactions=len(self.pseudonyms),
        )  # fmt: skip

    def asked_of(self, preview: VectorPreview, rule: VectorRule, *, first: int) -> list[Hit]:
        """The hits of one collection, with ids from `first` down; notes what came of it."""
        name, meter = preview.collection, Meter(preview.destination)
        try:
            answer = self.parts.collections.search(
                preview,
                limit_s=max(0.0, self.until - time.monotonic()),
                cancel=self.work.request.cancel,
                meter=meter,
            )
        except (CloudError, Cancelled) as error:
            outcome: Outcome = "failed" if meter.egress.attempts else "not_sent"
            self.work.collections.append(CollectionAsked(name, outcome, why=error.what))
            return []
        finally:
            if meter.egress.bytes_sent:
                self.work.ledger.append(self._departure(preview, meter, rule.needs_approval))
        return self._hits(name, answer, first)

    def _departure(self, preview: VectorPreview, meter: Meter, approved: bool) -> Departure:
        sent = VectorSent(preview.collection, preview.dimensions, preview.vector_digest)
        replaced = dict(self.pseudonyms.replaced)
        return Departure(meter.egress, preview, approved, replaced, vector=sent)

    def _hits(self, name: str, answer: Answer, first: int) -> list[Hit]:
        parts, asked = self.parts, self.decided.asked
        domain = self.work.request.domain or parts.settings.domain
        chunks = chunks_of(answer.found, name, first=first)
        found = usable(chunks, parts.encoder, now=time.time(), domain=domain)
        least = parts.settings.similarity_floor
        hits = hits_of(
            list(found), searched(asked), self.decided.vector, parts.encoder,
            parts.collections.splitter, floor=IndexSettings().floor if least is None else least,
        )  # fmt: skip
        noted = CollectionAsked(
            name, "found" if hits else "nothing", passages=len(hits), digest=answer.digest
        )
        self.work.collections.append(noted)
        return hits


def _with_hits(
    work: Work, decided: Decided, parts: Parts, given: PolicyInput, hits: Sequence[Hit]
) -> tuple[Work, Decided]:
    """Screens what came, and decides again on all that there is now."""
    policy, most = decided.policy, parts.settings.top_k
    kept, findings = screen_sources(
        hits,
        given.findings,
        policy.injection.score,
        encoding(parts.encoder),
        networks=parts.networks,
    )
    given = replace(given, findings=findings)
    best = sorted((*decided.hits, *kept), key=lambda hit: -hit.score)
    wider = replace(
        decided, given=given, route=decide(given, policy), hits=worth_reading(best)[:most]
    )
    again = work_on(work.request, wider, parts)
    return replace(again, ledger=work.ledger, collections=work.collections), wider
