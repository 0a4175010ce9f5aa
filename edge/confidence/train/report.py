"""The card of the weights: what they were fitted on, and how well they do on unseen questions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from skerry.edge.confidence.features import NAMES
from skerry.edge.confidence.model import ConfidenceModel
from skerry.edge.confidence.train.asking import Example
from skerry.edge.confidence.train.evaluate import auroc, baselines, confidences, ece
from skerry.guardrails.gate import NEAREST

_CARD = """# Answer confidence

The probability that a grounded answer of this device is right: boosted trees on {features}
features of the draft's token statistics, of retrieval, of the gate's verdict, and of how
question, sources and answer fit each other by their words.

- **Fitted on** {trained} answers of `{model}` (SHA-256 `{digest}…`), greedy, at most 64
  tokens, with up to four sources as the runtime cuts and chooses them, after the gate.
- **Questions**: MedQuAD's Genetics Home Reference pages (Ben Abacha and Demner-Fushman 2019,
  CC BY 4.0), HaluEval's one-turn QA (Li et al. 2023, MIT; its text is HotpotQA's, CC BY-SA 4.0),
  and the pages of an invented handbook of this repository. For about a third of them the page
  that answers is left out of the index, or loses the answer: right is then only
  "The documents do not say."
- **Labels** are by rule: the answer holds the gold fact as whole words, and none that
  contradicts it. `docs/confidence.md` says how often that errs.
- **Recipe**: `python -m skerry.edge.confidence.train --data DIR --seed {seed}`. The size of the
  trees and the calibration are chosen on folds of the training questions.

## On questions that were held out

PubMedQA's test abstracts (Jin et al. 2019, MIT) are a source that the weights have never seen;
of the others the conditions, questions and things are unseen. One feature (a number before what
is counted) was made for questions like PubMedQA's, of which some answers were read: its figure
flatters. AUROC against correctness; ECE over ten bins.

| questions | number | right | AUROC | mean logprob | entropy | margin | ECE |
|---|---|---|---|---|---|---|---|
{rows}

## Limits

It is calibrated for this model, this kind of question and about this share of unanswerable
ones. Another model, longer answers or other sources shift it: fit it again with `--model`. It
sees words, not meaning: an answer that turns its source's words into the opposite looks right
to it.
"""


def card(model: ConfidenceModel, trained: int, held_out: Sequence[Example], seed: int) -> str:
    """The card in Markdown."""
    answerable = [one for one in held_out if one.asked.answerable]
    named = [
        *_by_source(held_out),
        ("all, answerable only", answerable),
        ("**all**", list(held_out)),
    ]
    return _CARD.format(
        features=len(NAMES),
        trained=trained,
        model=model.model,
        digest=model.digest[:16],
        seed=seed,
        rows="\n".join(_row(model, name, examples) for name, examples in named if examples),
    )


def _by_source(examples: Sequence[Example]) -> list[tuple[str, list[Example]]]:
    grouped = groupby(examples, key=lambda one: one.asked.source)
    return [(source, list(some)) for source, some in grouped]


_QUOTED_CARD = """
## Quotations

What is quoted without a model has weights of its own, `quoted.json`: fitted on {trained} quotations
for the same training questions, by the same recipe, without the statistics of a draft. "Sure" are
those that are not quoted below "The documents may not answer this".

| held-out quotations | number | right | AUROC | ECE |
|---|---|---|---|---|
{rows}
"""


def quoted_card(model: ConfidenceModel, trained: int, held_out: Sequence[Example]) -> str:
    """What the card says of quotations, in Markdown."""
    sure = [one for one in held_out if not one.outcome.answer.text.startswith(NEAREST)]
    named = (*_by_source(held_out), ("sure", sure), ("**all**", list(held_out)))
    rows = "\n".join(_quoted_row(model, name, some) for name, some in named if some)
    return _QUOTED_CARD.format(trained=trained, rows=rows)


def _quoted_row(model: ConfidenceModel, name: str, examples: Sequence[Example]) -> str:
    correct = [one.correct for one in examples]
    ours = confidences(model, examples)
    right = f"{sum(correct) / len(correct):.0%}"
    area = _area(auroc(ours, correct))
    return f"| {name} | {len(examples)} | {right} | {area} | {ece(ours, correct):.3f} |"


def _row(model: ConfidenceModel, name: str, examples: Sequence[Example]) -> str:
    correct = [one.correct for one in examples]
    ours = confidences(model, examples)
    scores = [ours, *baselines(examples).values()]
    areas = " | ".join(_area(auroc(score, correct)) for score in scores)
    right = f"{sum(correct) / len(correct):.0%}"
    return f"| {name} | {len(examples)} | {right} | {areas} | {ece(ours, correct):.3f} |"


def _area(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
