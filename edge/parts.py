"""What one request may have of the parts of a runtime: documents, turns, tiers, policy's input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from skerry.edge import model_tokens
from skerry.edge.bundled import bundled_settings, in_use, take_bundle
from skerry.edge.engines.base import Message
from skerry.edge.errors import ConfigError, InputError
from skerry.edge.opened import Opened
from skerry.edge.request import Request
from skerry.edge.screening import encoding
from skerry.edge.sources import labels_of
from skerry.edge.types import Classification, Consent, Network, Tier

if TYPE_CHECKING:
    from skerry.edge.encoder import Vectors
    from skerry.edge.index import Chunk, Document, Hit, Query
    from skerry.edge.policy import PolicyInput
    from skerry.edge.session import Turn
    from skerry.edge.session.pseudonyms import Keeper
    from skerry.edge.settings import Settings
    from skerry.edge.tools import Registry, Toolbox
    from skerry.guardrails.findings import Finding

_ON_DEVICE = frozenset({Tier.RULES, Tier.DEVICE, Tier.HUMAN, Tier.REFUSE})
_MOST_TURNS = 64
_LEAST_OF_BEST = 0.6
_BESIDE = 2_000  # characters: a line of what goes on
_LOOSER = (Consent.NEVER, Consent.ASK, Consent.GRANTED).index


class Parts(Opened):
    """The parts of a runtime, and what one request may have of them. Thread-safe."""

    def toolbox(self, request: Request) -> Toolbox:
        """The tools of one request, which spends its own budget on them."""
        from skerry.edge.tools import Toolbox
        from skerry.edge.tools.plan import asked_before

        return Toolbox(
            self.tools,
            request.role or self.settings.role,
            confirm=request.confirm,
            before=asked_before([(turn.role, turn.text) for turn in self.turns(request)[-2:]]),
            injection_score=self.policy.injection.score,
            encode=encoding(self.encoder),
            networks=self.networks,
            cancelled=request.cancel,
        )

    def search(self, request: Request, text: str, vector: Vectors) -> list[Hit]:
        """What the documents that the request may see have on `text`; empty without documents."""
        if not self.has_documents:
            return []
        return worth_reading(self.index.search(self._query(request, text), vector))

    def documents(self, request: Request) -> list[Document]:
        """The documents that the request may see, in the order they were added."""
        if not self.has_documents:
            return []
        found = self.index.documents(as_of=request.as_of, labels=self._held(request))
        domain = request.domain or self.settings.domain
        return [one for one in found if domain is None or one.domain == domain]

    def beside(self, chunk: Chunk) -> tuple[str, str]:
        """What the document of a chunk that may be seen has just before it and just after it.

        Empty where the document is gone since, and of a cloud collection's.
        """
        if chunk.collection:
            return "", ""
        try:
            text = self.index.document_text(chunk.document_id)
        except InputError:
            return "", ""
        if not chunk.text.endswith(text[chunk.start : chunk.end]):  # of an index built anew since
            return "", ""
        before = text[max(0, chunk.start - _BESIDE) : chunk.start]
        return before, text[chunk.end : chunk.end + _BESIDE]

    def screened(self, hits: Sequence[Hit]) -> Mapping[int, tuple[Finding, ...]]:
        """What was found in the chunks of `hits` when they were indexed; see `Index.screened`."""
        if not hits:
            return {}
        return self.index.screened([hit.chunk for hit in hits], self.encoder)

    def respelled(self, request: Request, text: str) -> str:
        """The text, with words one letter off spelt as the documents that may be seen do."""
        if not text.strip() or not self.has_documents:
            return text
        return self.index.respelled(self._query(request, text))

    def _query(self, request: Request, text: str) -> Query:
        from skerry.edge.index import Query

        wanted = self.settings
        return Query(
            text,
            limit=wanted.top_k,
            labels=self._held(request),
            domain=request.domain or wanted.domain,
            as_of=request.as_of,
            floor=wanted.similarity_floor,
        )

    def history(self, request: Request, budget_tokens: int) -> Sequence[Message]:
        """The earlier turns, compressed to the budget: the caller's, or the session's."""
        from skerry.edge.session import compress, unframed

        turns = [unframed(turn) for turn in self.turns(request)]
        if not turns:
            return []
        count_tokens = model_tokens.at_most(self.encoder.count_tokens)
        return compress(turns, budget_tokens, count_tokens).messages

    def turns(self, request: Request) -> list[Turn]:
        """The earlier turns: the caller's, or else the session's."""
        from skerry.edge.session import Turn

        if request.history:
            labels = request.history_labels
            return [
                Turn(str(turn["role"]), str(turn["content"]), labels=labels)
                for turn in request.history
            ]
        if request.session is None:
            return []
        return list(self.sessions.get(request.session, last=_MOST_TURNS).turns)

    def surrogates(self, request: Request) -> Keeper:
        """Where the surrogates of this request are kept: with its session, if it has one."""
        from skerry.edge.session.pseudonyms import ForRequest, ForSession

        if request.session is None:
            return ForRequest(self._said(request))
        return ForSession(self.sessions, request.session)

    def said_before(self, request: Request) -> list[str]:
        """What would go with a question besides documents: instructions, and earlier turns."""
        turns = (turn.text for turn in self.turns(request))
        return [text for text in (request.instructions, *turns) if text]

    def _said(self, request: Request) -> list[str]:
        return [*self.said_before(request), request.question]

    def policy_input(
        self,
        request: Request,
        seen: Classification,
        findings: Sequence[Finding],
        hits: Sequence[Hit],
    ) -> PolicyInput:
        """Everything that policy decides on, as it is now. `hits` are what may be used."""
        from skerry.edge.device import device_state
        from skerry.edge.policy import PolicyInput

        wanted = self.settings
        return PolicyInput(
            classification=seen,
            network=Network.OFFLINE if request.offline else self.network(),
            consent=self._consent(request),
            device=device_state(),
            available=self.available(request),
            findings=tuple(findings),
            sensitivity=max(wanted.sensitivity, request.sensitivity),
            budget=request.budget,
            labels=labels_of(hits, self.turns(request), self._held(request)),
        )

    def _consent(self, request: Request) -> Consent:
        """The stricter of what the settings allow to leave and what the request does."""
        allowed = self.settings.consent
        return allowed if request.consent is None else min(allowed, request.consent, key=_LOOSER)

    def labels_said(self, request: Request) -> frozenset[str]:
        """The access labels of what was said before."""
        return labels_of((), self.turns(request), self._held(request))

    def _held(self, request: Request) -> frozenset[str]:
        """The access labels that the caller holds."""
        return self.settings.labels if request.labels is None else request.labels

    def available(self, request: Request) -> frozenset[Tier]:
        """The tiers that could answer now. Grammars and adapters exist only on the device."""
        if request.grammar is not None or request.adapter is not None:
            return _ON_DEVICE
        found = set(_ON_DEVICE)
        if self.settings.offline:
            return _ON_DEVICE
        if self.settings.cloud_url and self.cloud.available():
            found |= {Tier.CLOUD, Tier.CLOUD_REASONING}
        if self.settings.split_url and self.split.available():
            found.add(Tier.SPLIT)
        return frozenset(found)


def worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that are near the best one: a source far behind it costs prefill and misleads."""
    if not hits:
        return []
    best = max(hit.score for hit in hits)
    return [hit for hit in hits if hit.score >= _LEAST_OF_BEST * best]


def build_parts(
    settings: Settings | None, overrides: Mapping[str, Any], tools: Registry | None = None
) -> Parts:
    """Parts for `settings` with `overrides` over them, and `tools`, if there are any.

    Raises:
        ConfigError: a setting is wrong.
        BundleRefused: the bundle that they name cannot be used.
    """
    from skerry.edge.settings import Settings

    if settings is None:
        return _parts(Settings(**overrides), tools)
    if not isinstance(settings, Settings):
        what = f"settings is no Settings but {type(settings).__name__}"
        raise ConfigError(what, hint="give settings by name: Runtime(offline=True)")
    return _parts(settings.with_changes(**overrides), tools)


def _parts(settings: Settings, tools: Registry | None) -> Parts:
    given = {} if tools is None else {"tools": tools}
    bundled = take_bundle(settings)
    if bundled is None:
        return Parts(settings, **given)
    parts = Parts(bundled_settings(settings, bundled), bundled=bundled, **given)
    parts.hold(in_use(settings))
    return parts
