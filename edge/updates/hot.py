"""A runtime on the bundle of a device, which changes to another bundle between requests.

Each request runs on the bundle that it began with. A new one is loaded beside the old one; the old
one is closed when its last request has ended. No request waits for a change or is dropped by it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.edge.engines.base import Generation, Piece
from skerry.edge.errors import Closed
from skerry.edge.events import Event, Reply
from skerry.edge.parts import Parts
from skerry.edge.request import Request
from skerry.edge.runtime import Runtime
from skerry.edge.types import Route
from skerry.edge.updates.place import DeviceBundle, bundle_of

if TYPE_CHECKING:
    from skerry.guardrails.answer import Answer


@dataclass
class _Running:
    """One bundle, how many requests are on it, and what is to be done when it goes."""

    bundle: DeviceBundle
    runtime: Runtime
    closing: ExitStack
    requests: int = 0
    retired: bool = field(default=False)


class HotRuntime(Runtime):
    """A `Runtime` of what a device runs now; thread-safe; a context manager.

    Args:
        device: folder of the device.
        **overrides: settings by name, as of `Runtime`; the bundle is the device's.

    Raises:
        BundleRefused: the device has no bundle, or one that cannot be run.
        ConfigError: a setting is wrong.
    """

    def __init__(self, device: Path, **overrides: Any) -> None:
        self._device = device
        self._overrides = overrides
        self._lock = threading.Lock()
        self._changing = threading.Lock()
        self._closed = False
        self._running = self._open(bundle_of(device))

    @property
    def parts(self) -> Parts:  # type: ignore[override]
        """The parts of what runs now. What holds on to them longer than a request takes a lease."""
        return self._running.runtime.parts

    @property
    def digest(self) -> str:
        """Of the bundle that new requests run on."""
        return self._running.bundle.digest

    def refresh(self) -> bool:
        """Changes to what the device runs now; whether that is another bundle than before.

        Loads its model first: requests go on meanwhile, and both models are in memory until the old
        one's last request ends.

        Raises:
            BundleRefused: the new bundle cannot be run; the old one runs on.
            ModelError: its model cannot be loaded; the old one runs on.
            Closed: the runtime was closed.
        """
        with self._changing:
            found = bundle_of(self._device)
            if found.digest == self.digest:
                return False
            new = self._open(found)
            with self._lock:
                if self._closed:
                    new.closing.close()
                    raise Closed("the runtime was closed")
                old, self._running = self._running, new
            self._retire(old)
            return True

    @contextmanager
    def lease(self) -> Iterator[Runtime]:
        """The runtime of the present bundle, which stays open for as long as this is held.

        Raises:
            Closed: the runtime was closed.
        """
        with self._lock:
            if self._closed:
                raise Closed("the runtime was closed")
            running = self._running
            running.requests += 1
        try:
            yield running.runtime
        finally:
            with self._lock:
                running.requests -= 1
                last = running.retired and not running.requests
            if last:
                running.closing.close()

    def stream(self, question: str | Request, **options: Any) -> Iterator[Event]:
        """As of `Runtime`."""
        with self.lease() as runtime:
            yield from runtime.stream(question, **options)

    def ask(self, question: str | Request, **options: Any) -> Reply:
        """As of `Runtime`."""
        with self.lease() as runtime:
            return runtime.ask(question, **options)

    def route(self, question: str | Request, **options: Any) -> Route:
        """As of `Runtime`."""
        with self.lease() as runtime:
            return runtime.route(question, **options)

    def check(self, question: str | Request, draft: str, **options: Any) -> Answer:
        """As of `Runtime`."""
        with self.lease() as runtime:
            return runtime.check(question, draft, **options)

    def complete(self, generation: Generation, *, model: str | None = None) -> Iterator[Piece]:
        """As of `Runtime`."""
        with self.lease() as runtime:
            yield from runtime.complete(generation, model=model)

    def close(self) -> None:
        """Ends running requests and closes every bundle. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running = self._running
        running.closing.close()

    def _open(self, bundle: DeviceBundle) -> _Running:
        """A runtime of `bundle` whose model is loaded, and the sign that it is in use."""
        with ExitStack() as opening:
            opening.enter_context(bundle.using())
            runtime = opening.enter_context(Runtime(bundle=bundle.folder, **self._overrides))
            with runtime.parts.engine():
                pass  # it is loaded, or raises
            return _Running(bundle, runtime, opening.pop_all())

    def _retire(self, old: _Running) -> None:
        """Closes what ran before, now or after its last request."""
        with self._lock:
            old.retired = True
            idle = not old.requests
        if idle:
            old.closing.close()
