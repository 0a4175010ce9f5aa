"""Search of a cloud collection of 100,000 passages (quick: 10,000), as a gateway does it.

The vectors are drawn: 500 directions with noise, so that some passages are near each other, as
text is; queries are passages with noise. A search reads its passages from the state, a file of
SQLite's. The peer compares the same vectors as float32, and gives ids, not passages.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contract import Figure, Options
from skerry.cloud.collections.nearest import Searcher
from skerry.cloud.collections.store import CollectionStore
from skerry.cloud.collections.wire import (
    MOST_IN_PART,
    Governed,
    Part,
    Passage,
    Publish,
    digest_of,
    quantised,
    search_of,
    written_part,
)
from skerry.cloud.gateway.state import opened

KEYS = ("search_ms_p50", "recall_at_10", "first_search_s")

Floats = NDArray[np.float32]
DIMENSIONS, DIRECTIONS, TOP = 384, 500, 10
ENCODER, NAME = "drawn@1", "formulary"
_NOISE = 0.6


def run(options: Options) -> dict[str, Figure]:
    count, asked = (10_000, 50) if options.quick else (100_000, 200)
    draw = np.random.default_rng(options.seed)
    vectors = _unit(_near(draw, _unit(draw.standard_normal((DIRECTIONS, DIMENSIONS))), count))
    queries = _unit(_near(draw, vectors, asked))
    peer_ms, _ = _timed(_faiss(vectors), queries, vectors)
    with tempfile.TemporaryDirectory() as folder:
        state = opened("bench.db", Path(folder))
        publish(state.collections, vectors)
        searcher = Searcher(state.collections)
        began = time.perf_counter()
        searcher.search(NAME, search_of(ENCODER, queries[0], TOP))
        first_s = time.perf_counter() - began
        ours_ms, recall = _timed(lambda query: _found(searcher, query), queries, vectors)
        state.close()
    note = f"{count:,} passages of {DIMENSIONS} dimensions, {TOP} of them read from SQLite"
    return {
        "search_ms_p50": Figure(ours_ms, "ms", "lower", 50.0, {"faiss flat": peer_ms}, note),
        "recall_at_10": Figure(
            recall, "recall", "higher", 0.98, {"faiss flat": 1.0}, "int8 against exact float32"
        ),
        "first_search_s": Figure(
            first_s, "s", "lower", None, {}, "after a new version: its vectors are read"
        ),
    }


def publish(store: CollectionStore, vectors: Floats) -> None:
    """Documents of 256 passages, each named by its number."""
    digests = []
    for start in range(0, len(vectors), MOST_IN_PART):
        codes = quantised(vectors[start : start + MOST_IN_PART])
        passages = tuple(Passage(f"{start + row}") for row in range(len(codes)))
        document = Governed(f"document {start}", f"{start}.md", "1", 0.0)
        part = Part(ENCODER, DIMENSIONS, document, passages, codes.tobytes())
        digests.append(digest_of(written_part(part)))
        store.add(digests[-1], part, time.time())
    wanted = Publish(ENCODER, DIMENSIONS, tuple(digests))
    store.publish(NAME, wanted, time.time(), len(vectors))


def _found(searcher: Searcher, query: Floats) -> list[int]:
    answer = searcher.search(NAME, search_of(ENCODER, query, TOP))
    return [int(one.passage.text) for one in answer.found]


def _near(draw: np.random.Generator, of: Floats, count: int) -> Floats:
    noise = draw.standard_normal((count, DIMENSIONS)).astype(np.float32)
    step = _NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    moved: Floats = of[draw.integers(0, len(of), count)] + step
    return moved


def _unit(vectors: NDArray[np.floating]) -> Floats:
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _timed(
    search: Callable[[Floats], Sequence[int]], queries: Floats, vectors: Floats
) -> tuple[float, float]:
    """Milliseconds of a query, the median, and recall@10 against exact search."""
    search(queries[0])
    times, shares = [], []
    for query in queries:
        began = time.perf_counter()
        found = search(query)
        times.append((time.perf_counter() - began) * 1e3)
        best = np.argpartition(-(vectors @ query), TOP)[:TOP]
        shares.append(len(set(best.tolist()) & set(found)) / TOP)
    return float(np.median(times)), float(np.mean(shares))


def _faiss(vectors: Floats) -> Callable[[Floats], Sequence[int]]:
    import faiss

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    return lambda query: flat.search(query[None, :], TOP)[1][0].tolist()
