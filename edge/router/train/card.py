"""The router's model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.edge.router.train.metrics import Prediction, accuracy, calibration_error
from skerry.edge.types import RequestClass


@dataclass(frozen=True, slots=True)
class Report:
    """What the test sets say. `classes` maps a class to (precision, recall) on held-out phrases."""

    sets: Mapping[str, Sequence[Prediction]]
    confusion: NDArray[np.int64]
    classes: Mapping[RequestClass, tuple[float, float]]
    oos_auroc: float
    own_oos_auroc: float
    complexity_auroc: float
    false_alarms: float


_TEXT = """\
# The router's heads

Small heads on the vector of `minilm-l6-int8` and on {features} features of the text's form: request
class, complexity, reasoning need, in-scope probability. Under a megabyte of plain arrays.

- **Recipe**: `python -m skerry.edge.router.train --data DIR --out DIR`, seeded. The class head is
  the mean of four perceptrons with one hidden layer; its temperature is fitted on development
  examples, and so is the line that turns the in-scope score into a probability.
- **Own data**: some 2,400 utterances by hand and their templates, in `edge/router/train`.
- **Public data**, train splits only: CLINC150 (CC BY 3.0), Banking77 (CC BY 4.0), GSM8K (MIT),
  MedQuAD (CC BY 4.0), PubMedQA (MIT), MMLU with the outcomes of RouteLLM (Apache-2.0; ten subjects
  held out), and as text to extract from MTS-Dialog (CC BY 4.0) and the e-mails and tables of BIPIA
  (MIT, CC BY-SA 4.0).
- **Licence**: Apache-2.0.

## Test sets

Nothing was trained or calibrated on them. The totals of `held-out` and the scope of `clinc150` were
looked at a few times while the router took shape, so these two flatter a little. `bbh`,
`medical_question_pairs` and `self-harm` are sources of which nothing was trained on.

| set | examples | accuracy | calibration error (15 bins) |
|---|---|---|---|
{sets}

Held-out phrases, by class:

| class | precision | recall |
|---|---|---|
{classes}

| scope, AUROC | |
|---|---|
| CLINC150, all of its test | {oos:.3f} |
| held-out phrases | {own_oos:.3f} |

Small talk is an intent that CLINC150 knows, and a phrase of ours that nothing serves: hence
the second.

Of 250 harmless XSTest prompts with alarming words, {false_alarms:.1%} are taken for an emergency.
`complexity` foretells whether a smaller model fails a question of a held-out subject of MMLU with
an AUROC of {complexity:.3f}: it tells kinds of request apart, hardly hard questions from easy ones
of one kind.

## Limits

English. What is a lookup and what a question is a matter of degree: most errors are between these
two. World knowledge ("how high is Everest") counts as out of scope, because the runtime answers
from its documents. A long text that mentions self-harm is often missed: the guardrails look at
every sentence and must not rely on this class alone. Not a medical device.
"""


def card(report: Report, features: int) -> str:
    """Markdown."""
    return _TEXT.format(
        features=features,
        sets="\n".join(_set_row(name, seen) for name, seen in report.sets.items()),
        classes="\n".join(
            f"| {name} | {precision:.3f} | {recall:.3f} |"
            for name, (precision, recall) in report.classes.items()
        ),
        oos=report.oos_auroc,
        own_oos=report.own_oos_auroc,
        false_alarms=report.false_alarms,
        complexity=report.complexity_auroc,
    )


def _set_row(name: str, seen: Sequence[Prediction]) -> str:
    error = calibration_error([p.said.confidence for p in seen], [p.right for p in seen])
    return f"| {name} | {len(seen)} | {accuracy(seen):.3f} | {error:.3f} |"
