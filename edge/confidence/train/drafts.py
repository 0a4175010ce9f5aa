"""An engine that remembers: a draft is generated once for each model and request.

Greedy drafts of a small model are the costly part of training and of the benchmark; the
gate, the features and the fit are quick and run anew each time. A draft ends where the gate of its
day ended it, as in the runtime, and so do its statistics: after a change of the gate, draft anew.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import cast

from skerry.edge import tiers
from skerry.edge.engines.base import (
    Engine,
    EngineOptions,
    FinishReason,
    Generation,
    ModelInfo,
    Piece,
    TokenStats,
    Usage,
)
from skerry.edge.engines.llama import load_llama
from skerry.edge.tiers import Outcome, Work

CONTEXT_TOKENS = 2048
PARALLEL = 4
_TABLE = "CREATE TABLE IF NOT EXISTS drafts (key TEXT PRIMARY KEY, draft TEXT) WITHOUT ROWID"


@contextmanager
def open_drafts(model: Path, store: Path, *, threads: int) -> Iterator[RememberedDrafts]:
    """The drafts of the GGUF file `model`, kept in the file `store`, which is made if need be."""
    options = EngineOptions(context_tokens=CONTEXT_TOKENS, threads=threads, parallel=PARALLEL)
    with closing(DraftStore(store)) as kept, closing(load_llama(model, options)) as engine:
        yield RememberedDrafts(engine, kept)


class DraftStore:
    """Drafts in one SQLite file; each is kept as soon as it is made. Used by one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(_TABLE)

    def get(self, key: str) -> list[Piece] | None:
        row = self._connection.execute("SELECT draft FROM drafts WHERE key = ?", (key,)).fetchone()
        return None if row is None else _loads(row[0])

    def put(self, key: str, pieces: list[Piece]) -> None:
        sql = "INSERT OR REPLACE INTO drafts VALUES (?, ?)"
        self._connection.execute(sql, (key, _dumps(pieces)))

    def close(self) -> None:
        self._connection.close()


class RememberedDrafts:
    """The drafts of one model: `generate` as of an `Engine`, for requests that `make` has seen."""

    def __init__(self, engine: Engine, store: DraftStore) -> None:
        self._engine = engine
        self._store = store

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    def generate(self, request: Generation) -> Iterator[Piece]:
        """The draft of `request`; KeyError when it was not made."""
        pieces = self._store.get(self._key(request))
        if pieces is None:
            raise KeyError("no draft of this request was made")
        yield from pieces

    def has(self, request: Generation) -> bool:
        return self._store.get(self._key(request)) is not None

    def outcome(self, work: Work) -> Outcome:
        """What the device tier makes of the draft of `work`; KeyError when it was not made."""
        return _run(work, self)

    def make(self, works: Iterable[Work], *, limit_s: float) -> Iterator[None]:
        """Makes missing drafts, several at once, until `limit_s` have passed; yields after each."""
        missing = [one for one in works if not self.has(one.generation)]
        until = time.monotonic() + limit_s
        threads = ThreadPoolExecutor(PARALLEL)
        try:
            made = threads.map(lambda one: self._draft(one, until), missing)
            for work, pieces in zip(missing, made, strict=True):
                if pieces is not None:
                    self._store.put(self._key(work.generation), pieces)
                    yield
        finally:
            threads.shutdown(cancel_futures=True)

    def _draft(self, work: Work, until: float) -> list[Piece] | None:
        if time.monotonic() >= until:
            return None
        tape = _Tape(self._engine)
        _run(work, tape)
        return tape.pieces

    def _key(self, request: Generation) -> str:
        asked = [self.info.digest, request.messages, request.max_tokens, asdict(request.sampling)]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


class _Tape:
    """An engine that keeps the pieces that it gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.pieces: list[Piece] = []

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    def generate(self, request: Generation) -> Iterator[Piece]:
        for piece in self._engine.generate(request):
            self.pieces.append(piece)
            yield piece


def _run(work: Work, engine: RememberedDrafts | _Tape) -> Outcome:
    """What the device tier answers with `engine`."""
    run = tiers.generate_here(work, cast(Engine, engine))
    try:
        while True:
            next(run)
    except StopIteration as stop:
        outcome: Outcome = stop.value
        return outcome


def _dumps(pieces: list[Piece]) -> str:
    last = pieces[-1]
    usage = asdict(last.usage) if last.usage else None
    return json.dumps({"text": [one.text for one in pieces], "finish": last.finish, "usage": usage})


def _loads(text: str) -> list[Piece]:
    kept = json.loads(text)
    *before, last = kept["text"]
    ended = Piece(last, finish=FinishReason(kept["finish"]), usage=_usage(kept["usage"]))
    return [*map(Piece, before), ended]


def _usage(kept: dict[str, object] | None) -> Usage | None:
    if kept is None:
        return None
    stats = kept["stats"]
    return Usage(**{**kept, "stats": TokenStats(**stats) if isinstance(stats, dict) else None})  # type: ignore[arg-type]  # written by asdict
