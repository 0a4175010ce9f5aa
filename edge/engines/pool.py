"""Keeps models loaded while they are used: once each, no more than fit, none that idles for long.

Loads, counts leases and waits; whom to unload is decided in `eviction.py`. Which models exist is
left to `models.py`, how one is loaded to `registry.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Protocol

from skerry.edge.engines.base import Engine, EngineOptions
from skerry.edge.engines.eviction import Held, idle, next_look_s, to_make_room
from skerry.edge.engines.models import ModelSpec
from skerry.edge.engines.registry import ENGINES, EngineKind
from skerry.edge.errors import ModelBusy, ModelError


class Specs(Protocol):
    """Where a pool finds models; `models.Catalogue` is one."""

    def models(self) -> Sequence[ModelSpec]: ...

    def find(self, wanted: str) -> ModelSpec: ...


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model and whether it is in memory. `idle_s` is None unless it is, and nobody uses it."""

    spec: ModelSpec
    loaded: bool = False
    leases: int = 0
    idle_s: float | None = None


class _State(Enum):
    LOADING = auto()
    READY = auto()
    CLOSING = auto()


@dataclass(slots=True, eq=False)
class _Entry:
    """A model's place in memory, kept until the memory is free. Guarded by the pool's condition."""

    spec: ModelSpec
    state: _State = _State.LOADING
    engine: Engine | None = None
    leases: int = 0
    last_used_s: float = 0.0

    def held(self, key: str) -> Held:
        return Held(key, self.leases > 0 or self.state is not _State.READY, self.last_used_s)


class ModelPool:
    """Leases engines by the name or path of their model. Thread-safe.

    Args:
        specs: where models are found.
        options: how every model is loaded; a model's own adapters are added.
        max_loaded: models in memory at once. While all of them are leased, a lease of another
            waits.
        idle_unload_s: seconds without a lease until a model is unloaded; 0 is never.
        engines: engine kinds by name.
        clock: monotonic seconds.
        wait_s: how long a lease waits for room.
    """

    def __init__(
        self,
        specs: Specs,
        options: EngineOptions | None = None,
        *,
        max_loaded: int = 1,
        idle_unload_s: float = 0.0,
        engines: Mapping[str, EngineKind] = ENGINES,
        clock: Callable[[], float] = time.monotonic,
        wait_s: float = 60.0,
    ) -> None:
        self._specs = specs
        self._options = options or EngineOptions()
        self._max_loaded = max_loaded
        self._idle_unload_s = idle_unload_s
        self._engines = engines
        self._clock = clock
        self._wait_s = wait_s
        self._entries: dict[str, _Entry] = {}
        self._changed = threading.Condition()
        self._reaper: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def engine(self, wanted: str) -> Iterator[Engine]:
        """A lease: the model is loaded on first use, and stays until the lease ends.

        Raises:
            ModelNotFound: no model has that name, or is at that path.
            ModelInvalid: the model cannot be loaded.
            ModelBusy: `max_loaded` other models were in use for `wait_s`.
            ModelError: the pool is closed.
        """
        spec = self._specs.find(wanted)
        entry, victims = self._claim(spec)
        engine = self._load(entry, victims) if entry.engine is None else entry.engine
        try:
            yield engine
        finally:
            self._give_back(entry)

    def list(self) -> tuple[ModelStatus, ...]:
        """Every known model, and those that were loaded from elsewhere by their path."""
        known = self._specs.models()
        with self._changed:
            entries = dict(self._entries)
            statuses = [self._status(spec, entries.pop(_key(spec), None)) for spec in known]
            others = [self._status(entry.spec, entry) for entry in entries.values()]
        return (*statuses, *others)

    def close(self) -> None:
        """Unloads everything; running generations end as cancelled. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            ready = [key for key, one in self._entries.items() if one.state is _State.READY]
            victims = self._mark_closing(ready)
            reaper = self._reaper
        self._unload(victims)
        with self._changed:
            self._changed.wait_for(lambda: not self._entries)
        if reaper is not None:
            reaper.join()

    def _claim(self, spec: ModelSpec) -> tuple[_Entry, Sequence[_Entry]]:
        """A lease on the entry of `spec`, and the entries to unload before it is loaded."""
        deadline = time.monotonic() + self._wait_s
        with self._changed:
            while True:
                self._check_open()
                entry = self._entries.get(_key(spec))
                if entry is not None and entry.state is _State.READY:
                    entry.leases += 1
                    return entry, ()
                room = None if entry else to_make_room(self._held(), self._max_loaded)
                if room is not None:
                    entry = self._entries[_key(spec)] = _Entry(spec, leases=1)
                    return entry, self._mark_closing(room)
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    raise self._busy(spec)

    def _load(self, entry: _Entry, victims: Sequence[_Entry]) -> Engine:
        """Unloads `victims`, then loads; outside the lock, as other models may be leased."""
        spec = entry.spec
        adapters = {**self._options.adapters, **spec.adapters}
        template = spec.chat_template or self._options.chat_template
        options = replace(self._options, adapters=adapters, chat_template=template)
        try:
            self._unload(victims)
            engine = _load_checked(self._engines[spec.engine], spec, options)
        except BaseException:  # after Ctrl-C as well, nobody may wait for this model
            self._forget(entry)
            raise
        with self._changed:
            if not self._closed:
                entry.engine, entry.state = engine, _State.READY
                self._changed.notify_all()
                return engine
        engine.close()
        self._forget(entry)
        raise _closed_error()

    def _unload(self, victims: Sequence[_Entry]) -> None:
        with ExitStack() as stack:
            for entry in victims:
                stack.callback(self._forget, entry)
                if entry.engine is not None:
                    stack.callback(entry.engine.close)

    def _forget(self, entry: _Entry) -> None:
        with self._changed:
            del self._entries[_key(entry.spec)]
            self._changed.notify_all()

    def _give_back(self, entry: _Entry) -> None:
        with self._changed:
            entry.leases -= 1
            entry.last_used_s = self._clock()
            self._changed.notify_all()
            if self._idle_unload_s > 0 and self._reaper is None and not self._closed:
                self._reaper = threading.Thread(target=self._reap, name="skerry-pool", daemon=True)
                self._reaper.start()

    def _reap(self) -> None:
        """Unloads idle models; ends when there is nothing left to wait for."""
        try:
            while (victims := self._wait_for_idle()) is not None:
                self._unload(victims)
        except BaseException:
            self._reaper = None  # the next lease that ends starts another
            raise

    def _wait_for_idle(self) -> Sequence[_Entry] | None:
        with self._changed:
            while True:
                times = {"now_s": self._clock(), "idle_unload_s": self._idle_unload_s}
                held = self._held()
                if victims := idle(held, **times):
                    return self._mark_closing(victims)
                wait_s = next_look_s(held, **times)
                if wait_s is None or self._closed:
                    self._reaper = None
                    return None
                self._changed.wait(wait_s)

    def _mark_closing(self, keys: Sequence[str]) -> Sequence[_Entry]:
        entries = [self._entries[key] for key in keys]
        for entry in entries:
            entry.state = _State.CLOSING
        return entries

    def _held(self) -> Sequence[Held]:
        return [entry.held(key) for key, entry in self._entries.items()]

    def _status(self, spec: ModelSpec, entry: _Entry | None) -> ModelStatus:
        if entry is None or entry.state is not _State.READY:
            return ModelStatus(spec)
        idle_s = None if entry.leases else self._clock() - entry.last_used_s
        return ModelStatus(spec, loaded=True, leases=entry.leases, idle_s=idle_s)

    def _busy(self, spec: ModelSpec) -> ModelBusy:
        return ModelBusy(
            f"there is no room for the model '{spec.name}': {self._max_loaded} in use",
            hint="try again later, or raise max_loaded if there is memory for more",
        )

    def _check_open(self) -> None:
        if self._closed:
            raise _closed_error()


def _key(spec: ModelSpec) -> str:
    """The file, not the name: a model has several names and is loaded once."""
    return str(spec.path.resolve())


def _closed_error() -> ModelError:
    return ModelError("the model pool is closed", hint="make a new runtime")


def _load_checked(kind: EngineKind, spec: ModelSpec, options: EngineOptions) -> Engine:
    """Loads, then asks whether the files are still those that were looked at."""
    engine = kind.load(spec.path, options, name=spec.name)
    try:
        spec.check()
    except BaseException:
        engine.close()
        raise
    return engine
