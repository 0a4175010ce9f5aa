"""Quality of retrieval: claims to the abstracts that decide them, questions to their answers.

SciFact (Wadden et al. 2020) is measured as in BEIR: nDCG@10 of the 300 validation claims over all
5,183 abstracts. MedQuAD (Ben Abacha and Demner-Fushman 2019) is measured as recall@10: is the
answer that belongs to a question among the ten best documents? Everything runs through `Index`
as it is shipped: files are added, cut, encoded and searched. What was tuned was tuned on SciFact's
train claims alone.
"""

from __future__ import annotations

import csv
import io
import json
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard

from benchmarks.contract import Figure, Options, data_file
from benchmarks.encodings import RememberingEncoder
from skerry.edge.index import Index, IndexSettings, Metadata, Query

KEYS = ("scifact_ndcg_at_10", "medquad_recall_at_10")

TOP = 10
_DEEP = 100  # hits of each kind that rank fusion is given
_SCIFACT = "https://github.com/allenai/scifact"
_MEDQUAD = "https://github.com/abachaa/MedQuAD"

Relevant = Mapping[str, frozenset[str]]
Ranking = Sequence[str]
Score = Callable[[Ranking, frozenset[str]], float]


@dataclass(frozen=True, slots=True)
class Text:
    """A document of a collection."""

    name: str
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Task:
    """A collection, its queries, and by query the names of the documents that answer it."""

    documents: Sequence[Text]
    queries: Mapping[str, str]
    relevant: Relevant
    score: Score


def run(options: Options) -> dict[str, Figure]:
    scifact = measure(load_scifact(options, "validation"))
    medquad = measure(load_medquad(options))
    note = "a sample of queries and documents: not comparable with the full run"
    quick = note if options.quick else ""
    return {
        "scifact_ndcg_at_10": _figure(scifact, "nDCG", 0.74, quick),
        "medquad_recall_at_10": _figure(medquad, "recall", None, quick),
    }


def _figure(scores: dict[str, float], unit: str, target: float | None, note: str) -> Figure:
    hybrid = scores.pop("hybrid")
    return Figure(hybrid, unit, "higher", None if note else target, scores, note)


def ndcg(ranking: Ranking, relevant: frozenset[str]) -> float:
    """nDCG@10 with binary relevance (Järvelin and Kekäläinen 2002)."""
    gains = [1 / np.log2(rank + 2) for rank in range(TOP)]
    won = sum(gain for gain, name in zip(gains, ranking, strict=False) if name in relevant)
    return float(won / sum(gains[: len(relevant)]))


def recall(ranking: Ranking, relevant: frozenset[str]) -> float:
    """Whether a relevant document is among the ten best."""
    return float(any(name in relevant for name in ranking[:TOP]))


def load_scifact(options: Options, split: str) -> Task:
    def text(name: str) -> str:
        return _decompressed(data_file(options, f"scifact/{name}.zst", source=_SCIFACT))

    corpus = [json.loads(line) for line in text("corpus.jsonl").split("\n") if line]
    claims = csv.DictReader(io.StringIO(text(f"claims_{split}.csv")))
    judged: dict[str, set[str]] = {}
    for row in csv.DictReader(io.StringIO(text("qrels.tsv")), delimiter="\t"):
        if row["split"] == split:
            judged.setdefault(row["claim_id"], set()).add(row["doc_id"])
    task = Task(
        [Text(row["doc_id"], row["title"], " ".join(row["sentences"])) for row in corpus],
        {row["id"]: row["claim"] for row in claims if row["id"] in judged},
        {claim: frozenset(names) for claim, names in judged.items()},
        ndcg,
    )
    return sample(task, 60, 300, options.seed) if options.quick else task


def load_medquad(options: Options, *, queries: int | None = 2000) -> Task:
    """Each distinct answer is a document; a question belongs to every answer given to it.

    Args:
        queries: how many to draw; None is every question.
    """
    path = data_file(options, "medquad/medquad_answered.jsonl.zst", source=_MEDQUAD)
    rows = [json.loads(line) for line in _decompressed(path).split("\n") if line]
    names: dict[str, str] = {}
    relevant: dict[str, set[str]] = {}
    for row in rows:
        name = names.setdefault(row["answer"], f"answer{len(names)}")
        relevant.setdefault(row["question"], set()).add(name)
    task = Task(
        [Text(name, row["focus"], row["answer"]) for row, name in _first(rows, names)],
        {question: question for question in relevant},
        {question: frozenset(found) for question, found in relevant.items()},
        recall,
    )
    if options.quick:
        return sample(task, 60, 300, options.seed)
    return sample(task, queries or len(task.queries), len(task.documents), options.seed)


def _first(rows: list[dict[str, str]], names: dict[str, str]) -> list[tuple[dict[str, str], str]]:
    """Each answer once, with the first row that gives it."""
    first: dict[str, dict[str, str]] = {}
    for row in rows:
        first.setdefault(names[row["answer"]], row)
    return [(row, name) for name, row in first.items() if row["answer"].strip()]


def sample(task: Task, queries: int, documents: int, seed: int) -> Task:
    """Some of the queries, with what answers them and other documents beside it."""
    draw = random.Random(seed)
    chosen = draw.sample(sorted(task.queries), min(queries, len(task.queries)))
    needed = frozenset().union(*(task.relevant[query] for query in chosen))
    order = draw.sample(range(len(task.documents)), len(task.documents))
    order.sort(key=lambda i: task.documents[i].name not in needed)
    kept = sorted(order[: max(documents, len(needed))])
    return Task(
        [task.documents[i] for i in kept],
        {query: task.queries[query] for query in chosen},
        {query: task.relevant[query] for query in chosen},
        task.score,
    )


def measure(task: Task) -> dict[str, float]:
    """The mean score of hybrid search, and of dense, lexical and rank-fused search beside it.

    They are compared as rankings. The floor on similarity, which says that there is no answer,
    costs a little of a ranking: what is left above it stands beside.
    """
    encoder = RememberingEncoder()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.db"
        fill(path, encoder, task.documents)
        rankings = {
            "hybrid": rank(path, encoder, task.queries, IndexSettings(floor=-1.0)),
            "hybrid above the floor": rank(path, encoder, task.queries, IndexSettings()),
            "dense": rank(path, encoder, task.queries, _only(1.0)),
            "bm25": rank(path, encoder, task.queries, _only(0.0)),
        }
    rankings["rank fusion"] = {
        query: rank_fusion(rankings["dense"][query], rankings["bm25"][query])
        for query in task.queries
    }
    return {
        name: float(np.mean([task.score(found[q], task.relevant[q]) for q in task.queries]))
        for name, found in rankings.items()
    }


def fill(path: Path, encoder: RememberingEncoder, documents: Sequence[Text]) -> None:
    """Adds the documents as files; a document's name is its file's."""
    with Index.open(path, encoder) as index, tempfile.TemporaryDirectory() as folder:
        for document in documents:
            file = Path(folder) / f"{document.name}.txt"
            file.write_text(document.body)
            index.add([file], metadata=Metadata(title=document.title))


def _only(dense_weight: float) -> IndexSettings:
    return IndexSettings(dense_weight=dense_weight, floor=-1.0)


def rank(
    path: Path, encoder: RememberingEncoder, queries: Mapping[str, str], settings: IndexSettings
) -> dict[str, Ranking]:
    """By query, the names of the best documents, best first."""
    with Index.open(path, encoder, read_only=True, settings=settings) as index:
        found = {
            name: index.search(Query(text, limit=_DEEP, per_source=1))
            for name, text in queries.items()
        }
    return {name: [Path(hit.chunk.source).stem for hit in hits] for name, hits in found.items()}


def rank_fusion(*rankings: Ranking) -> Ranking:
    """Reciprocal rank fusion with k = 60 (Cormack, Clarke and Büttcher 2009)."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, name in enumerate(ranking):
            scores[name] = scores.get(name, 0.0) + 1 / (60 + place + 1)
    return sorted(scores, key=lambda name: (-scores[name], name))


def _decompressed(path: Path) -> str:
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read().decode()
