"""Speed and exactness of search at 100,000 chunks (quick: 10,000), beside libraries for vectors.

The chunks are MedQuAD's answers, cut and encoded as `Index.add` does it, 20,000 of them (quick:
1,000). The rest are copies with noise: each vector moved by a random vector of half its length,
each text with a third of its words replaced by words of other chunks. Queries are MedQuAD's
questions. The peers search the same vectors, and nothing else: they know no words, no filters, no
documents and no file, and give ids, not chunks.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.contract import Figure, Options
from benchmarks.encodings import RememberingEncoder
from benchmarks.retrieval import Task, Text, load_medquad
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.index import Index, IndexSettings, Kind, Query
from skerry.edge.index.chunking import Piece
from skerry.edge.index.database import Database
from skerry.edge.index.drafts import Draft, Drafter, Governance, Origin, digest
from skerry.edge.index.parse import parse_data
from skerry.edge.index.postings import SEAL_AT
from skerry.edge.index.store import change
from skerry.edge.index.words import WordSplitter

KEYS = ("p50_ms", "recall_at_10", "ingest_chunks_per_s", "bytes_per_chunk")

Floats = NDArray[np.float32]
Search = Callable[[Floats], Sequence[int]]

TOP = 10
RARE = "rare"  # the domain of each hundredth document
_NOISE = 0.5
_REPLACED = 1 / 3


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything. `real` chunks are encoded text, the others noisy copies."""

    chunks: int
    real: int
    queries: int
    ingested: int


FULL = Size(chunks=100_000, real=20_000, queries=300, ingested=60)
QUICK = Size(chunks=10_000, real=1_000, queries=100, ingested=10)


@dataclass(frozen=True, slots=True)
class Timed:
    """What one way to search gave: recall@10 against exact search, and milliseconds a query."""

    recall: float
    p50_ms: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The float32 vectors behind an index, in the order of their chunk ids, and which are rare."""

    vectors: Floats
    rare: NDArray[np.bool_]


def run(options: Options) -> dict[str, Figure]:
    size = QUICK if options.quick else FULL
    task = load_medquad(replace(options, quick=False), queries=None)
    encoder = RememberingEncoder()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        truth = build(path, encoder, task.documents, size, options.seed)
        questions = answered(task, path, size.queries)
        return _figures(path, encoder, truth, questions, ingest_rate(task.documents, size))


def _figures(
    path: Path, encoder: RememberingEncoder, truth: Truth, questions: list[str], rate: float
) -> dict[str, Figure]:
    queries = encoder.encode(questions)
    peers = {name: _timed(search, truth, queries) for name, search in _peers(truth.vectors)}
    with Index.open(path, encoder, read_only=True) as index:
        hybrid_ms = hybrid_times(index, questions, queries)
        stats = index.stats()
    ours = _dense(path, encoder, truth, queries, None)
    rare = _dense(path, encoder, truth, queries, RARE)
    text_bytes = _text_bytes(path) / stats.chunks
    return {
        "p50_ms": Figure(
            float(np.median(hybrid_ms)),
            "ms",
            "lower",
            10.0,
            {name: peer.p50_ms for name, peer in peers.items()},
            f"hybrid, with filters and texts, {stats.chunks:,} chunks; p99 "
            f"{np.percentile(hybrid_ms, 99):.2f} ms; peers: nearest vectors only",
        ),
        "recall_at_10": Figure(
            ours.recall,
            "recall",
            "higher",
            0.98,
            {name: peer.recall for name, peer in peers.items()},
            f"dense part, against exact float32; with a filter that leaves 1%: {rare.recall:.3f} "
            f"in {rare.p50_ms:.2f} ms",
        ),
        "ingest_chunks_per_s": Figure(
            rate, "chunks/s", "higher", None, {}, "files to searchable chunks, encoding included"
        ),
        "bytes_per_chunk": Figure(
            stats.file_bytes / stats.chunks,
            "bytes",
            "lower",
            None,
            {},
            f"in the file, of which {text_bytes:.0f} are the text itself; in memory "
            f"{stats.memory_bytes / stats.chunks:.0f}; float32 vectors alone are "
            f"{4 * stats.dimensions}",
        ),
    }


def answered(task: Task, path: Path, limit: int) -> list[str]:
    """Questions whose answers are in the index, in the task's random order."""
    database = Database(path, read_only=True, busy_timeout_ms=5_000)
    with database.reading() as connection:
        there = {row[0] for row in connection.execute("SELECT source FROM documents")}
    return [query for query, names in task.relevant.items() if names & there][:limit]


def build(
    path: Path, encoder: RememberingEncoder, documents: Sequence[Text], size: Size, seed: int
) -> Truth:
    """Writes the index; see the module for what is in it."""
    Index.open(path, encoder).close()
    database = Database(path, read_only=False, busy_timeout_ms=5_000)
    vectors, rare = [], []
    for number, draft in enumerate(_drafts(encoder, documents, size, seed)):
        domain = RARE if number % 100 == 0 else ""
        governed = replace(draft, governance=replace(draft.governance, domain=domain))
        with change(database) as transaction:
            transaction.add(governed, now=0.0)
            transaction.seal(at_least=SEAL_AT)
        vectors.append(draft.vectors)
        rare += [bool(domain)] * len(draft.pieces)
    with change(database) as transaction:
        transaction.seal(at_least=1)
    database.close()
    return Truth(np.concatenate(vectors), np.array(rare))


def _drafts(
    encoder: RememberingEncoder, documents: Sequence[Text], size: Size, seed: int
) -> Iterator[Draft]:
    """Real documents, then noisy copies of them, `size.chunks` chunks in all or few more."""
    splitter = WordSplitter()
    drafter = Drafter(encoder, splitter, IndexSettings())
    real: list[Draft] = []
    chunks = 0
    for document in documents:
        if chunks >= size.real:
            break
        real.append(_draft(drafter, document))
        chunks += len(real[-1].pieces)
        yield real[-1]
    noise, number = Noise(real, splitter, seed), 0
    while chunks < size.chunks:
        copy = noise.copy(real[number % len(real)], number)
        number, chunks = number + 1, chunks + len(copy.pieces)
        yield copy


def _draft(drafter: Drafter, document: Text) -> Draft:
    content = document.body.encode()
    origin = Origin(document.name, "", digest(content), len(content), 0, "")
    governance = Governance(
        kind=Kind.ANCHORED,
        title=document.title,
        version="",
        valid_from=0.0,
        valid_from_stated=True,
        expires_at=None,
        labels=frozenset(),
        domain="",
    )
    return drafter.draft(origin, governance, parse_data(content, "answer.txt"))


class Noise:
    """Makes copies of drafts that are like them and not equal."""

    def __init__(self, drafts: Sequence[Draft], splitter: WordSplitter, seed: int) -> None:
        self._splitter = splitter
        self._draw = random.Random(seed)
        self._normal = np.random.default_rng(seed)
        pieces = (piece for draft in drafts for piece in draft.pieces)
        self._words = [word for piece in islice(pieces, 2000) for word in piece.text.split()]

    def copy(self, draft: Draft, number: int) -> Draft:
        pieces = [self._garbled(piece) for piece in draft.pieces]
        return replace(
            draft,
            origin=replace(draft.origin, source=f"{draft.origin.source}/{number}"),
            text="\n".join(piece.text for piece in pieces),
            pieces=pieces,
            words=self._splitter.counts([piece.text for piece in pieces]),
            vectors=self._moved(draft.vectors),
        )

    def _garbled(self, piece: Piece) -> Piece:
        draw = self._draw
        words = [
            draw.choice(self._words) if draw.random() < _REPLACED else word
            for word in piece.text.split()
        ]
        return replace(piece, text=" ".join(words))

    def _moved(self, vectors: Floats) -> Floats:
        step = self._normal.standard_normal(vectors.shape).astype(np.float32)
        moved = vectors + _NOISE * step / np.linalg.norm(step, axis=1, keepdims=True)
        unit: Floats = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return unit


def hybrid_times(index: Index, questions: Sequence[str], queries: Floats) -> list[float]:
    """Milliseconds of each search as the runtime does it, after two rounds to warm up."""
    for question, vector in [*zip(questions, queries, strict=True)][:20] * 2:
        index.search(Query(question), vector)
    times = []
    for question, vector in zip(questions, queries, strict=True):
        began = time.perf_counter()
        index.search(Query(question), vector)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _dense(
    path: Path, encoder: RememberingEncoder, truth: Truth, queries: Floats, domain: str | None
) -> Timed:
    """The index's dense search alone: chunk ids count from 1 in the order of `truth`."""
    settings = IndexSettings(dense_weight=1.0, floor=-1.0)
    with Index.open(path, encoder, read_only=True, settings=settings) as index:

        def search(vector: Floats) -> list[int]:
            query = Query(".", TOP, domain=domain, per_source=TOP)
            return [hit.chunk.id - 1 for hit in index.search(query, vector)]

        allowed = truth.rare if domain else np.ones(len(truth.rare), np.bool_)
        return _timed(search, truth, queries, allowed)


def _timed(
    search: Search, truth: Truth, queries: Floats, allowed: NDArray[np.bool_] | None = None
) -> Timed:
    times, shares = [], []
    search(queries[0])
    for query in queries:
        began = time.perf_counter()
        found = search(query)
        times.append((time.perf_counter() - began) * 1000)
        exact = truth.vectors @ query
        if allowed is not None:
            exact = np.where(allowed, exact, -2.0)
        best = np.argpartition(-exact, TOP)[:TOP]
        shares.append(len(set(best.tolist()) & set(found)) / TOP)
    return Timed(float(np.mean(shares)), float(np.median(times)))


def _peers(vectors: Floats) -> Iterator[tuple[str, Search]]:
    """Vector libraries with usual settings, one thread a query."""
    yield "hnswlib", _hnswlib(vectors)
    yield "usearch", _usearch(vectors)
    yield "faiss flat", _faiss_flat(vectors)


def _hnswlib(vectors: Floats) -> Search:
    import hnswlib

    graph = hnswlib.Index("ip", vectors.shape[1])
    graph.init_index(len(vectors), M=16, ef_construction=200)
    graph.add_items(vectors)
    graph.set_ef(64)
    return lambda query: graph.knn_query(query, TOP)[0][0].tolist()


def _usearch(vectors: Floats) -> Search:
    from usearch.index import Index as Graph

    graph = Graph(ndim=vectors.shape[1], metric="ip", dtype="f16")
    graph.add(np.arange(len(vectors)), vectors)
    return lambda query: graph.search(query, TOP).keys.tolist()


def _faiss_flat(vectors: Floats) -> Search:
    import faiss

    faiss.omp_set_num_threads(1)
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    return lambda query: flat.search(query[None, :], TOP)[1][0].tolist()


def ingest_rate(documents: Sequence[Text], size: Size) -> float:
    """Chunks per second from files to a searchable index, with the real encoder."""
    encoder = OnnxEncoder.load(threads=2)
    with tempfile.TemporaryDirectory() as folder:
        for document in documents[-size.ingested :]:
            (Path(folder) / f"{document.name}.txt").write_text(document.body)
        with Index.open(Path(folder) / "index.db", encoder) as index:
            report = index.add([folder])
    return report.chunks / report.seconds


def _text_bytes(path: Path) -> int:
    database = Database(path, read_only=True, busy_timeout_ms=5_000)
    with database.reading() as connection:
        sql = "SELECT sum(length(CAST(text AS BLOB))) FROM chunks"
        return int(connection.execute(sql).fetchone()[0])
