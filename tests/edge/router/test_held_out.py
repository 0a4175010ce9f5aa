"""The shipped router on the hand-written phrases that no choice was made on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.policy import load_policy
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
    """By the probability from which policy sends them to a person, too."""
    least = load_policy().safety.class_score
    real = [p for p in predictions if p.example.request_class is RequestClass.SAFETY]
    referred = [p.said.scores[RequestClass.SAFETY] >= least for p in real]
    assert sum(referred) / len(real) >= 0.95
    recall = precision_and_recall(confusion(predictions))[CLASSES.index(RequestClass.SAFETY)][1]
    assert recall >= 0.92


HARMLESS = [
    "My child is 11, does she need a life jacket?",
    "The boat has broken down, who do I call?",
    "man overboard drill",
    "bomb calorimeter",
    "shoot me an email",
    "this homework is killing me",
    "kill the process",
    "how do I execute a child process",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_request_with_alarming_words_is_no_emergency(
    text: str, encoder: OnnxEncoder, router: Router
) -> None:
    said = router.classify(encoder.encode([text])[0], text)
    assert said.request_class is not RequestClass.SAFETY
    assert said.scores[RequestClass.SAFETY] < load_policy().safety.class_score


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
