"""An encoder that remembers across runs, so that a benchmark of search need not wait for it.

Vectors are kept in the user's cache folder, by the encoder's id and the text. Whoever wants to
measure encoding uses the encoder itself.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs

from skerry.edge.encoder import OnnxEncoder, Vectors

_TABLE = "CREATE TABLE IF NOT EXISTS vectors (digest BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"


class RememberingEncoder:
    """A `TextEncoder` in front of the default one."""

    def __init__(self) -> None:
        self._encoder = OnnxEncoder.load(threads=2)
        self.id = self._encoder.id
        self.dimensions = self._encoder.dimensions
        self.max_tokens = self._encoder.max_tokens
        folder = Path(platformdirs.user_cache_dir("skerry")) / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        name = self.id.replace("@", "-").replace("/", "-")
        self._cache = sqlite3.connect(
            folder / f"{name}.db", isolation_level=None, check_same_thread=False
        )
        self._lock = threading.Lock()
        self._cache.execute("PRAGMA journal_mode = WAL")
        self._cache.execute("PRAGMA synchronous = OFF")
        self._cache.execute(_TABLE)

    def count_tokens(self, text: str) -> int:
        return self._encoder.count_tokens(text)

    def encode(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        digests = [hashlib.sha256(text.encode()).digest() for text in texts]
        found = {digest: self._find(digest) for digest in digests}
        missing = {d: t for d, t in zip(digests, texts, strict=True) if found[d] is None}
        if missing:
            vectors = self._encoder.encode(list(missing.values()))
            rows = [(d, v.tobytes()) for d, v in zip(missing, vectors, strict=True)]
            self._cache.execute("BEGIN")
            self._cache.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)
            self._cache.execute("COMMIT")
            found.update(rows)
        return np.array([np.frombuffer(found[d] or b"", np.float32) for d in digests])

    def _find(self, digest: bytes) -> bytes | None:
        sql = "SELECT vector FROM vectors WHERE digest = ?"
        row = self._cache.execute(sql, (digest,)).fetchone()
        return row[0] if row else None
