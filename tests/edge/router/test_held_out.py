"""The shipped router on the hand-written phrases that no choice was made on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.router import CLASSES, Router
from skerry.edge.router.train import phrases
from skerry.edge.router.train.metrics import (
    Prediction,
    accuracy,
    calibration_error,
    confusion,
    precision_and_recall,
    predict,
)
from skerry.edge.types import RequestClass


@pytest.fixture(scope="module")
def predictions(encoder: OnnxEncoder, router: Router) -> list[Prediction]:
    return predict(router, phrases.held_out("test"), encoder.encode)


def test_most_are_right(predictions: list[Prediction]) -> None:
    assert accuracy(predictions) >= 0.88


def test_confidence_means_what_it_says(predictions: list[Prediction]) -> None:
    confidence = [p.said.confidence for p in predictions]
    assert calibration_error(confidence, [p.right for p in predictions]) <= 0.08


def test_emergencies_are_rarely_missed(predictions: list[Prediction]) -> None:
    recall = precision_and_recall(confusion(predictions))[CLASSES.index(RequestClass.SAFETY)][1]
    assert recall >= 0.95


def test_every_class_is_held_out_alike() -> None:
    for part in ("dev", "test"):
        counts = Counter(example.request_class for example in phrases.held_out(part))
        assert counts == dict.fromkeys(RequestClass, 40)


def test_no_phrase_is_there_twice() -> None:
    lines = [
        line.casefold()
        for path in sorted(phrases.FOLDER.rglob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [line for line, count in Counter(lines).items() if count > 1] == []


def test_every_phrase_file_names_a_class_and_a_level() -> None:
    for path in phrases.FOLDER.glob("*.txt"):
        label, level, _ = Path(path).name.split(".")
        assert RequestClass(label)
        assert level in ("plain", "hard", "steps", "smalltalk")
