"""The router on its test sets, beside TF-IDF with logistic regression trained on the same examples.

Accuracy and calibration are over all test sets together, of each at most 300 examples (quick: 60).
Out of scope is CLINC150's own test: every request in scope against every one that is not (quick: a
sample). How sure an answer is, is `answer_confidence`'s figure.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import answer_confidence
from benchmarks.contract import Figure, Options, data_file
from benchmarks.encodings import RememberingEncoder
from skerry.edge.router import Router
from skerry.edge.router.train import dataset, sources
from skerry.edge.router.train.evaluate import scope_auroc
from skerry.edge.router.train.example import Example
from skerry.edge.router.train.metrics import (
    Prediction,
    accuracy,
    auroc,
    calibration_error,
    predict,
    with_class,
)

KEYS = ("accuracy", "ece", "oos_auroc", "latency_ms_p50", "answer_confidence_auroc")

PEER = "TF-IDF + LR"
_SETS = {
    "clinc150/data_oos_plus.json.zst": "github.com/clinc/oos-eval",
    "banking77/test.csv.zst": "github.com/PolyAI-LDN/task-specific-datasets",
    "gsm8k/test.jsonl.zst": "github.com/openai/grade-school-math",
    "medquad/medquad_answered.jsonl.zst": "github.com/abachaa/MedQuAD",
    "pubmedqa_l/ori_pqal.json.zst": "github.com/pubmedqa/pubmedqa",
    "bbh/bbh.jsonl.zst": "github.com/suzgunmirac/BIG-Bench-Hard",
    "routellm_outcomes/mmlu_outcomes.jsonl.zst": "github.com/lm-sys/RouteLLM",
    "medical_question_pairs/mqp.csv.zst": "github.com/curai/medical-question-pair-dataset",
    "openai_moderation/samples-1680.jsonl.zst": "github.com/openai/moderation-api-release",
    "mts_dialog/MTS-Dialog-TrainingSet.csv.zst": "github.com/abachaa/MTS-Dialog",
    "bipia/email/train.jsonl.zst": "github.com/microsoft/BIPIA",
}


@dataclass(frozen=True, slots=True)
class Size:
    """`each`: test examples of a set. `scope`: of CLINC150. `training`: what the peer learns."""

    each: int
    scope: int
    training: int


FULL = Size(each=300, scope=10_000, training=100_000)
QUICK = Size(each=60, scope=500, training=4_000)


def run(options: Options) -> dict[str, Figure]:
    data = _data_folder(options)
    size = QUICK if options.quick else FULL
    router, encoder = Router.load(), RememberingEncoder()
    tests = dataset.tests(data, size.each, options.seed)
    seen = {name: predict(router, tests[name], encoder.encode) for name in tests}
    scope = _some(sources.clinc150(data, "test"), size.scope, options.seed)
    peer = _Peer.trained(_some(dataset.training(data, options.seed), size.training, options.seed))
    return {
        **_class_figures({name: with_class(p) for name, p in seen.items()}, peer),
        "oos_auroc": _scope_figure(predict(router, scope, encoder.encode), peer),
        "latency_ms_p50": _latency_figure(router, encoder, tests["held-out"], peer),
        "answer_confidence_auroc": answer_confidence.measure(options),
    }


def _class_figures(seen: dict[str, list[Prediction]], peer: _Peer) -> dict[str, Figure]:
    pooled = [p for predictions in seen.values() for p in predictions]
    right = [p.right for p in pooled]
    said, sure = peer.classify([p.example.text for p in pooled])
    hits = [name == p.example.request_class for name, p in zip(said, pooled, strict=True)]
    by_set = ", ".join(f"{name} {accuracy(p):.2f}" for name, p in seen.items())
    return {
        "accuracy": Figure(
            accuracy(pooled), "share", "higher", 0.85, {PEER: float(np.mean(hits))}, by_set
        ),
        "ece": Figure(
            calibration_error([p.said.confidence for p in pooled], right),
            "15 bins",
            "lower",
            0.05,
            {PEER: calibration_error(sure, hits)},
        ),
    }


def _scope_figure(predictions: Sequence[Prediction], peer: _Peer) -> Figure:
    texts = [p.example.text for p in predictions]
    sure = dict(zip(texts, peer.known_intent(texts), strict=True))
    inside = [sure[p.example.text] for p in predictions if p.example.in_scope]
    outside = [sure[p.example.text] for p in predictions if not p.example.in_scope]
    note = "CLINC150 test; a frozen MiniLM with LR and the largest probability is reported at 0.958"
    peers = {PEER: auroc(inside, outside)}
    return Figure(scope_auroc(predictions), "AUROC", "higher", 0.958, peers, note)


def _latency_figure(
    router: Router, encoder: RememberingEncoder, examples: Sequence[Example], peer: _Peer
) -> Figure:
    texts = [example.text for example in examples]
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    ours = _median_ms(lambda text: router.classify(vectors[text], text), texts)
    theirs = _median_ms(lambda text: peer.classify([text]), texts)
    return Figure(ours, "ms", "lower", 1.0, {PEER: theirs}, "after encoding; all heads")


@dataclass(frozen=True, slots=True)
class _Peer:
    """Word and pair counts with logistic regression: one for classes, one for intents."""

    classes: Any
    intents: Any

    @classmethod
    def trained(cls, examples: Sequence[Example]) -> _Peer:
        known = [e for e in examples if e.request_class is not None]
        intents = [e for e in examples if e.source == "clinc150"]
        return cls(
            _fitted([e.text for e in known], [str(e.request_class) for e in known]),
            _fitted([e.text for e in intents], [str(e.intent) for e in intents]),
        )

    def classify(self, texts: Sequence[str]) -> tuple[list[str], list[float]]:
        """The likeliest class of each text, and its probability."""
        scores = self.classes.predict_proba(texts)
        return list(self.classes.classes_[scores.argmax(axis=1)]), scores.max(axis=1).tolist()

    def known_intent(self, texts: Sequence[str]) -> list[float]:
        """The largest probability of any intent."""
        best: list[float] = self.intents.predict_proba(texts).max(axis=1).tolist()
        return best


def _fitted(texts: Sequence[str], labels: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return make_pipeline(words, LogisticRegression(C=10, max_iter=1000)).fit(texts, labels)


def _median_ms(call: Callable[[str], object], texts: Sequence[str]) -> float:
    """Median milliseconds over the texts, after a first round that is not counted."""
    for text in texts[:20]:
        call(text)
    times = []
    for text in texts:
        start = time.perf_counter()
        call(text)
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def _some(examples: Sequence[Example], number: int, seed: int) -> list[Example]:
    return random.Random(seed).sample(examples, min(number, len(examples)))


def _data_folder(options: Options) -> Path:
    """The folder of public data, when every set is there; DataMissing otherwise."""
    found = [data_file(options, name, source=source) for name, source in _SETS.items()]
    return found[0].parent.parent
