"""The parts behind a runtime, each opened on first use.

Knows where everything comes from (settings, device profile) and nothing of requests.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from skerry.edge import making, prompt
from skerry.edge.engines.base import Engine, EngineOptions, Sampling
from skerry.edge.errors import Closed, EdgeError, StateError
from skerry.edge.forked import never_free_in_child
from skerry.edge.types import Network
from skerry.guardrails.networks import INSTALLED, Networks

if TYPE_CHECKING:
    from skerry.device_profiles import Profile
    from skerry.edge.bundled import Bundled
    from skerry.edge.collections.searching import Collections
    from skerry.edge.encoder import TextEncoder
    from skerry.edge.engines.pool import ModelPool
    from skerry.edge.escalate import RemoteTier
    from skerry.edge.index import Index
    from skerry.edge.policy import Policy
    from skerry.edge.prompt import Prompts
    from skerry.edge.receipts import BundleUsed, Receipt, ReceiptStore
    from skerry.edge.review import ReviewStore
    from skerry.edge.router import Router
    from skerry.edge.session import SessionStore
    from skerry.edge.settings import Settings
    from skerry.edge.tools import Registry
    from skerry.guardrails.grounding import GroundingChecker

NETWORK_THREADS = 2
"""Most threads of a small network: its passes are too short to share among more."""


Part = TypeVar("Part")


class Opened:
    """What a runtime is made of. Thread-safe; `close` closes what was opened here, newest first.

    Every part raises Closed after that, and in a process that was forked from this one: threads
    and connections do not come along.

    Args:
        settings: where everything is.
        **given: parts by name that the caller made, and closes: `encoder`, `index`, `cloud`, …
    """

    def __init__(self, settings: Settings, **given: Any) -> None:
        self.settings = settings
        self._given = frozenset(given)
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
    def bundled(self) -> Bundled | None:
        """The bundle that is run; None where there is none."""
        return self._made.get("bundled")

    @property
    def encoder(self) -> TextEncoder:
        return self._once("encoder", lambda: making.encoder(self._network_threads, self.bundled))

    @property
    def router(self) -> Router:
        return self._once("router", lambda: making.router(self.bundled))

    @property
    def policy(self) -> Policy:
        return self._once("policy", lambda: making.policy(self.settings, self.bundled))

    @property
    def networks(self) -> Networks:
        """The small networks that screen texts."""
        bundled = self.bundled
        return INSTALLED if bundled is None else self._once("networks", bundled.networks)

    @property
    def prompts(self) -> Prompts:
        """What models are told."""
        bundled = self.bundled
        return prompt.INSTALLED if bundled is None else self._once("prompts", bundled.prompts)

    @property
    def bundle_used(self) -> BundleUsed | None:
        """What receipts say of the bundle; None where there is none."""
        bundled = self.bundled
        if bundled is None:
            return None
        return self._once("bundle_used", lambda: making.bundle_used(self.settings, bundled))

    @property
    def index(self) -> Index:
        return self._once(
            "index",
            lambda: making.index(self.settings, self.encoder, self.bundled, networks=self.networks),
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
        threads = self._network_threads
        return self._once("grounding", lambda: making.grounding(threads, self.bundled))

    @property
    def _network_threads(self) -> int:
        """Threads of the encoder and of the grounding checker."""
        return min(self.engine_options.threads, NETWORK_THREADS)

    @property
    def pool(self) -> ModelPool:
        return self._once(
            "pool", lambda: making.pool(self.settings, self.engine_options, self.bundled)
        )

    @property
    def cloud(self) -> RemoteTier:
        """The cloud tier.

        Raises:
            ConfigError: none is configured.
        """
        return self._once("cloud", lambda: making.cloud(self.settings, self.network))

    @property
    def split(self) -> RemoteTier:
        """Split inference.

        Raises:
            ConfigError: none is configured.
        """
        return self._once(
            "split",
            lambda: making.split(self.settings, self.network, self.engine, self.bundled),
        )

    @property
    def collections(self) -> Collections:
        """Cloud collections.

        Raises:
            ConfigError: none is configured.
        """
        return self._once("collections", lambda: making.collections(self.settings, self.network))

    @property
    def tools(self) -> Registry:
        """The tools that there are, for whatever role. An appointment book counts from when it
        is there, whenever that is."""
        booked = "tools" not in self._given and self.settings.appointments.exists()
        name = "tools with appointments" if booked else "tools"
        return self._once(name, lambda: making.tools(self.settings, self._closing.callback))

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

    @property
    def has_documents(self) -> bool:
        """Whether there is an index with anything in it; never makes one.

        Raises:
            IndexFault: its file has not a byte in it, or cannot be used otherwise.
        """
        if "index" not in self._made:
            if not self.settings.index.exists():
                return False
            from skerry.edge.index.database import check_not_empty

            check_not_empty(self.settings.index)
        return not self.index.is_empty()

    @property
    def expects_documents(self) -> bool:
        """Whether there are documents to answer from, here or in cloud collections."""
        return bool(self.settings.collections) or self.has_documents

    def faults(self) -> dict[str, EdgeError]:
        """What cannot be used now of the files that every answer needs, by name; makes none, and
        opens the index only where the encoder is there already."""
        checks: dict[str, Callable[[], object]] = {}
        if "receipts" in self._made:
            checks["state"] = self.receipts.check_place
        if "encoder" in self._made:
            checks["index"] = lambda: self.has_documents
        found = {}
        for name, check in checks.items():
            try:
                check()
            except EdgeError as error:
                found[name] = error
        return found

    def network(self) -> Network:
        from skerry.edge.escalate import network_state

        wanted = self.settings
        service = wanted.cloud_url or wanted.split_url or wanted.collections_url
        return network_state(wanted.offline, service, metered=wanted.network_metered)

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

    def hold(self, held: AbstractContextManager[object]) -> None:
        """Enters what is to be left when this is closed."""
        with self._lock:
            self._closing.enter_context(held)

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
