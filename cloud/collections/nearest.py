"""Searches a collection's vectors in memory: every one that is in force is compared.

int8 codes take 384 bytes a passage of the encoder that comes with Skerry: 38 MB for 100,000.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.cloud.collections.store import CollectionStore, Held
from skerry.cloud.collections.wire import Answer, Codes, Found, Governed, Info, Search
from skerry.cloud.errors import RequestError

_BLOCK = 512  # rows that are widened to float32 at once
_LOOK_S = 1.0


class NotFound(RequestError):
    """There is no such collection."""

    code = "collection_not_found"


class OtherEncoder(RequestError):
    """The vector is of another encoder: it would find passages that have nothing to do with it."""

    code = "other_encoder"


@dataclass(frozen=True, slots=True)
class Vectors:
    """A version of a collection: int8 [n, dimensions], the lengths of the rows, where each is, and
    from when to when its document is in force. `places` are part, place there, and document."""

    info: Info
    codes: Codes
    lengths: NDArray[np.float32]
    places: list[tuple[str, int, Governed]]
    begins: NDArray[np.float64]
    ends: NDArray[np.float64]

    @classmethod
    def of(cls, info: Info, parts: Iterable[Held]) -> Vectors:
        blocks, places = [np.zeros((0, info.dimensions), np.int8)], []
        for part in parts:
            block = np.frombuffer(part.vectors, np.int8).reshape(-1, info.dimensions)
            blocks.append(block)
            places += [(part.digest, place, part.document) for place in range(len(block))]
        codes = np.concatenate(blocks)
        return cls(
            info,
            codes,
            np.sqrt(np.einsum("ij,ij->i", codes, codes, dtype=np.float32)),
            places,
            np.array([document.valid_from for *_, document in places], np.float64),
            np.array([document.ends for *_, document in places], np.float64),
        )

    def nearest(self, query: Codes, most: int, now: float) -> list[tuple[int, float]]:
        """The rows of the highest cosine that are in force, and their cosines; best first."""
        cosines = self._cosines(query)
        cosines[~((self.begins <= now) & (now < self.ends))] = -np.inf
        most = min(most, len(cosines))
        best = np.argpartition(-cosines, most - 1)[:most] if most else np.zeros(0, np.intp)
        order = best[np.lexsort((best, -cosines[best]))]
        return [(int(row), float(cosines[row])) for row in order if cosines[row] > -np.inf]

    def _cosines(self, query: Codes) -> NDArray[np.float32]:
        """Of all rows, float32 [n].

        Some rows at a time stay in the processor's cache; a matrix product would start threads.
        """
        wide = query.astype(np.float32)
        wide /= np.linalg.norm(wide)
        block = np.empty((_BLOCK, self.info.dimensions), np.float32)
        cosines = np.empty(len(self.codes), np.float32)
        for start in range(0, len(cosines), _BLOCK):
            some = block[: len(cosines) - start]
            some[:] = self.codes[start : start + _BLOCK]
            np.vecdot(some, wide, out=cosines[start : start + _BLOCK])
        cosines /= self.lengths
        return cosines


class Searcher:
    """Searches what a store has published; looks once a second for another version.

    Thread-safe; who comes while a version is read waits for it.
    """

    def __init__(
        self, store: CollectionStore, *, look_s: float = _LOOK_S,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._store, self._look_s, self._clock = store, look_s, clock
        self._lock = threading.Lock()
        self._listed: dict[str, Info] = {}
        self._looked_at = -look_s
        self._held: dict[str, Vectors] = {}

    def search(self, name: str, asked: Search) -> Answer:
        """The nearest passages in force.

        Raises:
            NotFound: nothing of that name was published.
            OtherEncoder, BadCollection: the vector cannot be searched for.
            StateError: the state cannot be used.
        """
        codes = asked.codes()
        vectors = self._vectors(name, asked)
        info = vectors.info
        if len(codes) != info.dimensions:
            what = f"the vector has {len(codes)} dimensions, the collection '{name}' has"
            raise OtherEncoder(f"{what} {info.dimensions}")
        best = vectors.nearest(codes, asked.passages, self._clock())
        places = {row: vectors.places[row] for row, _ in best}
        texts = self._store.passages([(part, place) for part, place, _ in places.values()])
        found = [
            Found(document, texts[part, place], cosine)
            for (part, place, document), (_, cosine) in zip(places.values(), best, strict=True)
            if (part, place) in texts
        ]
        return Answer(name, info.encoder, info.digest, tuple(found))

    def _vectors(self, name: str, asked: Search) -> Vectors:
        with self._lock:
            info = self._known().get(name)
            if info is None:
                what = f"nothing was published as '{name}'"
                raise NotFound(what, hint=f"skerry cloud collections publish {name}")
            if info.encoder != asked.encoder:
                what = f"the collection '{name}' was made with the encoder '{info.encoder}'"
                hint = "publish it with that one, or bring the device up to date"
                raise OtherEncoder(f"{what}, not with '{asked.encoder}'", hint=hint)
            held = self._held.get(name)
            if held is None or held.info.digest != info.digest:
                held = Vectors.of(info, self._store.held(info))
                self._held[name] = held
            return held

    def _known(self) -> dict[str, Info]:
        now = time.monotonic()
        if now - self._looked_at >= self._look_s:
            self._listed = {one.name: one for one in self._store.published()}
            self._held = {name: one for name, one in self._held.items() if name in self._listed}
            self._looked_at = now
        return self._listed
