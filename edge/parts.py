"""The parts behind a runtime, each opened on first use.

Knows where everything comes from (settings, device profile) and nothing of the order of steps.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from skerry.edge import making, model_tokens
from skerry.edge.engines.base import Engine, EngineOptions, Message, Sampling
from skerry.edge.errors import Closed, ConfigError, InputError, StateError
from skerry.edge.forked import never_free_in_child
from skerry.edge.request import Request
from skerry.edge.screening import encoding
from skerry.edge.sources import labels_of
from skerry.edge.types import Classification, Consent, Network, Tier

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.edge.encoder import TextEncoder, Vectors
    from skerry.edge.engines.pool import ModelPool
    from skerry.edge.escalate import RemoteTier
    from skerry.edge.index import Chunk, Document, Hit, Index, Query
    from skerry.edge.policy import Policy, PolicyInput
    from skerry.edge.receipts import Receipt, ReceiptStore
    from skerry.edge.review import ReviewStore
    from skerry.edge.router import Router
    from skerry.edge.session import SessionStore, Turn
    from skerry.edge.session.pseudonyms import Keeper
    from skerry.edge.settings import Settings
    from skerry.edge.tools import Registry, Toolbox
    from skerry.guardrails.findings import Finding
    from skerry.guardrails.grounding import GroundingChecker

_ON_DEVICE = frozenset({Tier.RULES, Tier.DEVICE, Tier.HUMAN, Tier.REFUSE})
_MOST_TURNS = 64
_LEAST_OF_BEST = 0.6
_ENCODER_THREADS = 2
_BESIDE = 2_000  # characters: a line of what goes on
_LOOSER = (Consent.NEVER, Consent.ASK, Consent.GRANTED).index


Part = TypeVar("Part")


class Parts:
    """What a runtime is made of. Thread-safe; `close` closes what was opened here, newest first.

    Every part raises Closed after that, and in a process that was forked from this one: threads
    and connections do not come along.

    Args:
        settings: where everything is.
        **given: parts by name that the caller made, and closes: `encoder`, `index`, `cloud`, …
    """

    def __init__(self, settings: Settings, **given: Any) -> None:
        self.settings = settings
        self._made: dict[str, Any] = given
        self._lock = threading.RLock()
        self._closing = ExitStack()
        self._closed = False
        self._process = os.getpid()
        made = self._made  # a closure over `self` would keep it alive
        never_free_in_child(self, lambda: list(made.values()))

    @property
    def profile(self) -> Profile:
        """The device profile: the one that was named, or the one that suits this machine."""
        return self._once("profile", lambda: making.profile(self.settings))

    @property
    def encoder(self) -> TextEncoder:
        from skerry.edge.encoder import OnnxEncoder

        threads = min(self.engine_options.threads, _ENCODER_THREADS)
        return self._once("encoder", lambda: OnnxEncoder.load(threads=threads))

    @property
    def router(self) -> Router:
        from skerry.edge.router import Router

        return self._once("router", Router.load)

    @property
    def policy(self) -> Policy:
        from skerry.edge.policy import load_policy

        return self._once("policy", lambda: load_policy(self.settings.policy))

    @property
    def index(self) -> Index:
        from skerry.edge.index import Index

        return self._once(
            "index",
            lambda: Index.open(
                self.settings.index,
                self.encoder,
                screening_key=self.settings.screening_key_file,
            ),
        )

    @property
    def receipts(self) -> ReceiptStore:
        return self._once("receipts", lambda: making.receipts(self.settings))

    def keep_receipt(self, receipt: Receipt) -> Receipt:
        """Keeps a receipt, also that of a request which the runtime was closed under: something
        may have left for it. Returns what was stored."""
        try:
            return self.receipts.add(receipt)
        except (Closed, StateError):
            if not self._closed:
                raise
        with making.receipts(self.settings) as reopened:
            return reopened.add(receipt)

    @property
    def sessions(self) -> SessionStore:
        from skerry.edge.session import SessionStore

        wanted = self.settings
        return self._once(
            "sessions",
            lambda: SessionStore.open(wanted.state, store_text=wanted.store_conversations),
        )

    @property
    def reviews(self) -> ReviewStore:
        from skerry.edge.review import ReviewStore

        wanted = self.settings
        return self._once(
            "reviews", lambda: ReviewStore.open(wanted.state, keep_text=wanted.store_text)
        )

    def load(self) -> None:
        """Opens what every question needs and is not open yet."""
        _ = self.encoder, self.router, self.policy
        if self.has_documents:
            _ = self.index

    @property
    def loaded(self) -> bool:
        """Whether `load` has nothing to do."""
        return {"encoder", "router", "policy"} <= self._made.keys() and (
            "index" in self._made or not self.settings.index.exists()
        )

    @property
    def grounding(self) -> GroundingChecker:
        """Tells whether a source supports a sentence of a draft."""
        from skerry.guardrails.grounding import GroundingChecker

        return self._once("grounding", GroundingChecker.load)

    @property
    def pool(self) -> ModelPool:
        return self._once("pool", lambda: making.pool(self.settings, self.engine_options))

    @property
    def cloud(self) -> RemoteTier:
        """The cloud tier.

        Raises:
            ConfigError: none is configured.
        """
        return self._once("cloud", lambda: making.cloud(self.settings, self.network))

    @property
    def tools(self) -> Registry:
        """The tools that there are, for whatever role."""
        return self._once("tools", lambda: making.tools(self.settings, self._closing.callback))

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
            cancelled=request.cancel,
        )

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.settings.temperature, seed=self.settings.seed)

    @property
    def context_tokens(self) -> int:
        return self.engine_options.context_tokens

    @property
    def engine_options(self) -> EngineOptions:
        """How models are loaded: the settings, else the profile."""
        wanted, profile = self.settings, self.profile
        return EngineOptions(
            context_tokens=wanted.context_tokens or profile.context_tokens,
            threads=wanted.threads or profile.threads,
            batch_tokens=wanted.batch_tokens or profile.batch_tokens,
            kv_type=wanted.kv_type or profile.kv_type,
            parallel=wanted.parallel or profile.parallel,
            gpu_layers=wanted.gpu_layers or profile.gpu_layers,
        )

    def engine(self, name: str | None = None) -> AbstractContextManager[Engine]:
        """A lease of the model `name`, or of the default; it stays loaded until given back."""
        return self.pool.engine(name or self.settings.model)

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

        Empty where the document is gone since.
        """
        try:
            text = self.index.document_text(chunk.document_id)
        except InputError:
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

    @property
    def has_documents(self) -> bool:
        """Whether there is an index with anything in it; never makes one."""
        made = "index" in self._made or self.settings.index.exists()
        return made and not self.index.is_empty()

    def history(self, request: Request, budget_tokens: int) -> Sequence[Message]:
        """The earlier turns, compressed to the budget: the caller's, or the session's."""
        from skerry.edge.session import compress

        turns = self.turns(request)
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
            return ForRequest()
        return ForSession(self.sessions, request.session)

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

    def _held(self, request: Request) -> frozenset[str]:
        """The access labels that the caller holds."""
        return self.settings.labels if request.labels is None else request.labels

    def network(self) -> Network:
        from skerry.edge.escalate import network_state

        wanted = self.settings
        return network_state(wanted.offline, wanted.cloud_url, metered=wanted.network_metered)

    def available(self, request: Request) -> frozenset[Tier]:
        """The tiers that could answer now. Grammars and adapters exist only on the device."""
        if request.grammar is not None or request.adapter is not None:
            return _ON_DEVICE
        if self.settings.offline or not self.settings.cloud_url or not self.cloud.available():
            return _ON_DEVICE
        return _ON_DEVICE | {Tier.CLOUD, Tier.CLOUD_REASONING}

    def check_open(self) -> None:
        """Raises Closed where nothing can be asked any more."""
        if os.getpid() != self._process:
            raise Closed(
                "this runtime belongs to the process that this one was forked from",
                hint="make a Runtime in the child, and fork before one is used: by "
                'multiprocessing.get_context("spawn"), for instance',
            )
        if self._closed:
            raise Closed("this runtime was closed", hint="make a new Runtime")

    def close(self) -> None:
        """May be called twice. In a forked process nothing is done: it is the parent's to close."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._closed = True
            self._closing.close()
            self._made.clear()

    def _once(self, name: str, make: Callable[[], Part]) -> Part:
        self.check_open()
        with self._lock:
            self.check_open()
            if name not in self._made:
                part = make()
                self._made[name] = part
                if hasattr(part, "close"):
                    self._closing.callback(part.close)
            made: Part = self._made[name]
            return made


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
    """
    from skerry.edge.settings import Settings

    given = {} if tools is None else {"tools": tools}
    if settings is None:
        return Parts(Settings(**overrides), **given)
    if not isinstance(settings, Settings):
        what = f"settings is no Settings but {type(settings).__name__}"
        raise ConfigError(what, hint="give settings by name: Runtime(offline=True)")
    return Parts(settings.with_changes(**overrides), **given)
