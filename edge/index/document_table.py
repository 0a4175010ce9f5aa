"""Keeps the columns that govern documents in step with the file."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from skerry.edge.errors import IndexCorrupt
from skerry.edge.index.governance import DocumentTable
from skerry.edge.index.types import Kind

Entry = TypeVar("Entry", str, frozenset[str])

_ROW = np.dtype(
    [
        ("id", np.int64),
        ("alive", np.bool_),
        ("fluid", np.bool_),
        ("begins", np.float64),
        ("expires", np.float64),
        ("superseded", np.float64),
        ("label_set", np.int32),
        ("domain", np.int32),
        ("source", np.int32),
    ]
)
_CHANGED = """
    SELECT id, kind, valid_from, expires_at, superseded_at, labels, domain, source
    FROM documents WHERE generation > ? ORDER BY id
"""
_REMOVED = "SELECT document_id FROM removals WHERE generation > ?"
_HALF_LIVES = "SELECT source, half_life_seconds FROM sources WHERE half_life_seconds NOT NULL"


class DocumentTableBuilder:
    """Reads what changed and hands out tables, each of which stays as it was.

    Args:
        half_life_seconds: of fluid sources that have none of their own.
    """

    def __init__(self, half_life_seconds: float) -> None:
        self._default_half_life = half_life_seconds
        self._half_lives: dict[str, float] = {}
        self._rows: NDArray[np.void] = np.empty(0, _ROW)
        self._label_sets: dict[frozenset[str], int] = {}
        self._domains: dict[str, int] = {}
        self._sources: dict[str, int] = {}

    def update(self, connection: sqlite3.Connection, seen_generation: int) -> None:
        """Reads what was written after `seen_generation`."""
        changed = [self._row(row) for row in connection.execute(_CHANGED, (seen_generation,))]
        self._put(np.array(changed, _ROW))
        removed = [row[0] for row in connection.execute(_REMOVED, (seen_generation,))]
        self._rows["alive"][np.isin(self._rows["id"], removed)] = False
        self._half_lives = dict(connection.execute(_HALF_LIVES).fetchall())

    def rows_of(self, document_ids: NDArray[np.int64]) -> NDArray[np.int32]:
        """The rows of documents. Raises IndexCorrupt if the table does not have one of them."""
        rows = np.searchsorted(self._rows["id"], document_ids)
        there = rows < len(self._rows)
        if not there.all() or (self._rows["id"][rows] != document_ids).any():
            hint = "See `skerry index verify`; restore a copy, or add the documents again."
            raise IndexCorrupt("the index has chunks that belong to no document", hint=hint)
        return rows.astype(np.int32)

    def table(self) -> DocumentTable:
        columns: dict[str, Any] = {name: self._rows[name].copy() for name in _ROW.names or ()}
        columns["ids"] = columns.pop("id")
        return DocumentTable(
            **columns,
            half_life=self._half_life_column(),
            label_sets=tuple(self._label_sets),
            domains=tuple(self._domains),
            sources=tuple(self._sources),
        )

    def _put(self, changed: NDArray[np.void]) -> None:
        last = self._rows["id"][-1] if len(self._rows) else 0
        old, new = changed[changed["id"] <= last], changed[changed["id"] > last]
        rows = np.concatenate([self._rows, new])
        rows[np.searchsorted(rows["id"], old["id"])] = old
        self._rows = rows

    def _row(self, found: tuple[Any, ...]) -> tuple[Any, ...]:
        id_, kind, begins, expires, superseded, labels, domain, source = found
        return (
            id_,
            True,
            kind == Kind.FLUID,
            begins,
            np.inf if expires is None else expires,
            np.inf if superseded is None else superseded,
            _number(self._label_sets, frozenset(json.loads(labels))),
            _number(self._domains, domain),
            _number(self._sources, source),
        )

    def _half_life_column(self) -> NDArray[np.float64]:
        of_source = [self._half_lives.get(name, self._default_half_life) for name in self._sources]
        fluid = self._rows["fluid"]
        return np.where(fluid, np.array([*of_source, 0.0])[self._rows["source"]], np.inf)


def _number(numbers: dict[Entry, int], entry: Entry) -> int:
    """The number of an entry, which is a new one for an entry not seen before."""
    return numbers.setdefault(entry, len(numbers))
