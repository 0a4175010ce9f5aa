"""Fitting on a handful of phrases, and the measures of what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.router import CLASSES, Router
from skerry.edge.router.features import NAMES
from skerry.edge.router.train import metrics, phrases
from skerry.edge.router.train.card import Report, card
from skerry.edge.router.train.example import Example
from skerry.edge.types import Classification, RequestClass


def test_a_router_is_fitted_and_beats_chance_by_far(encoder: OnnxEncoder) -> None:
    pytest.importorskip("sklearn")
    from skerry.edge.router.train.fit import fit

    training = [*phrases.own_phrases()[::3], *_clinc()]
    development = phrases.held_out("dev")[::2]
    arrays = fit(training, development, encoder.encode, seed=0)
    router = Router.from_arrays(arrays | {"encoder": np.array(encoder.id)}, "fitted")
    seen = metrics.predict(router, phrases.held_out("dev")[1::4], encoder.encode)
    assert metrics.accuracy(seen) > 0.6
    assert {name: array.shape for name, array in arrays.items()}["kind/weight1"] == (256, 7)


def test_the_same_seed_fits_the_same(encoder: OnnxEncoder) -> None:
    pytest.importorskip("sklearn")
    from skerry.edge.router.train.fit import fit

    training, development = [*phrases.own_phrases()[::12], *_clinc()], phrases.held_out("dev")[::6]
    first, second = (fit(training, development, encoder.encode, seed=4) for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_calibration_error_of_known_cases() -> None:
    assert metrics.calibration_error([1.0, 1.0], [True, True]) == 0
    assert metrics.calibration_error([1.0, 1.0], [True, False]) == pytest.approx(0.5)
    assert metrics.calibration_error([0.1, 0.9], [True, True]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1, 1], 0.5), ([0, 2], [1, 1], 0.5)],
)
def test_auroc_of_known_cases(high: list[float], low: list[float], expected: float) -> None:
    assert metrics.auroc(high, low) == expected


def test_confusion_precision_and_recall() -> None:
    lookup, tool = RequestClass.LOOKUP, RequestClass.TOOL
    counts = metrics.confusion(
        [_prediction(lookup, lookup), _prediction(lookup, tool), _prediction(tool, tool)]
    )
    measures = dict(zip(CLASSES, metrics.precision_and_recall(counts), strict=True))
    assert measures[lookup] == (1.0, 0.5)
    assert measures[tool] == (0.5, 1.0)
    assert np.isnan(measures[RequestClass.SAFETY]).all()


def test_the_card_and_the_plot_show_every_class(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from skerry.edge.router.train.evaluate import draw_confusion

    seen = [_prediction(label, label) for label in CLASSES]
    counts = metrics.confusion(seen)
    classes = dict(zip(CLASSES, metrics.precision_and_recall(counts), strict=True))
    text = card(Report({"held-out": seen}, counts, classes, 0.97, 0.9, 0.6, 0.04), len(NAMES))
    assert all(f"| {label} | 1.000 | 1.000 |" in text for label in CLASSES)
    draw_confusion(counts, tmp_path / "new" / "plot.png")
    assert (tmp_path / "new" / "plot.png").read_bytes().startswith(b"\x89PNG")


def _prediction(true: RequestClass, said: RequestClass) -> metrics.Prediction:
    return metrics.Prediction(Example("t", "s", true), Classification(said, 1.0, 0, 0, 1))


def _clinc() -> Sequence[Example]:
    """Stands in for the public set of intents, in its form."""
    return [
        Example(f"{verb} {thing} {i}", "clinc150", RequestClass.TOOL, f"{verb}_{thing}")
        for verb in ("book", "cancel")
        for thing in ("flight", "hotel")
        for i in range(5)
    ]
