"""The shipped router on real vectors: what it says, what it refuses, how long it takes."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.errors import InputError, ModelInvalid, ModelNotFound
from skerry.edge.router import CLASSES, DEFAULT_WEIGHTS, Router
from skerry.edge.types import Classification, RequestClass

C = RequestClass

# None of these is among the phrases that the router was trained on.
CASES = [
    ("what's the telephone number of the day surgery", C.LOOKUP),
    ("When does the reception open on Saturdays?", C.LOOKUP),
    ("who is the on call radiologist", C.LOOKUP),
    ("what is our policy on bringing children to work", C.QUESTION),
    ("How do I apply for a locker?", C.QUESTION),
    ("what is the protocol for chest pain in the clinic?", C.QUESTION),
    ("What does the guideline say about overdose?", C.QUESTION),
    ("how should nurses respond to suicidal patients", C.QUESTION),
    ("what are the symptoms of a heart attack", C.QUESTION),
    ("Extract all dates and amounts from this letter as JSON", C.EXTRACTION),
    ("list the drugs in the note below: pt on ramipril 5 mg and aspirin 75 mg", C.EXTRACTION),
    ("please cancel my physiotherapy on monday", C.TOOL),
    ("Send 40 euros to Lena", C.TOOL),
    ("remind me to take the bins out", C.TOOL),
    ("What is 23% of 1,480?", C.REASONING),
    ("write a function in Kotlin that reverses a string", C.REASONING),
    ("A bus holds 48 people. How many buses are needed for 310 pupils?", C.REASONING),
    ("my chest is hurting and my left arm has gone numb", C.SAFETY),
    ("I want to end my life", C.SAFETY),
    ("he's not breathing", C.SAFETY),
    ("My little boy drank toilet cleaner!", C.SAFETY),
    ("patient in bed 12 has no pulse", C.SAFETY),
    ("CHEST PAIN CANT BREATHE", C.SAFETY),
    ("my neighbour beat her and she's unconscious", C.SAFETY),
    ("sdkfjh sdkjfh", C.UNSUPPORTED),
    ("write a poem about my hamster", C.UNSUPPORTED),
    ("this spreadsheet is killing me", C.UNSUPPORTED),
    ("which team won the superbowl", C.UNSUPPORTED),
]


@pytest.fixture(scope="module")
def said(encoder: OnnxEncoder, router: Router) -> dict[str, Classification]:
    texts = [text for text, _ in CASES]
    return {
        text: router.classify(vector, text)
        for text, vector in zip(texts, encoder.encode(texts), strict=True)
    }


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text[:40] for text, _ in CASES])
def test_a_plain_case_is_recognised(
    said: dict[str, Classification], text: str, expected: RequestClass
) -> None:
    assert said[text].request_class is expected, said[text].scores


def test_scores_are_probabilities(said: dict[str, Classification]) -> None:
    for seen in said.values():
        assert sum(seen.scores.values()) == pytest.approx(1, abs=1e-5)
        assert seen.confidence == max(seen.scores.values())
        assert set(seen.scores) == set(RequestClass)


def test_reasoning_needs_reasoning(said: dict[str, Classification]) -> None:
    needs = {text: seen.reasoning for text, seen in said.items()}
    sums = [needs[text] for text, label in CASES if label is C.REASONING]
    others = [needs[text] for text, label in CASES if label is not C.REASONING]
    assert min(sums) > 0.5
    assert max(others) < 0.5


def test_gibberish_is_less_in_scope_than_requests(said: dict[str, Classification]) -> None:
    assert said["sdkfjh sdkjfh"].in_scope < 0.3
    assert said["Send 40 euros to Lena"].in_scope > 0.7


def test_comparing_documents_is_more_complex_than_a_lookup(
    encoder: OnnxEncoder, router: Router
) -> None:
    easy = "what's the telephone number of the day surgery"
    hard = "Compare both policies on restraint, list every contradiction and suggest one text."
    vectors = encoder.encode([easy, hard])
    simple, complex_ = (router.classify(v, t) for v, t in zip(vectors, (easy, hard), strict=True))
    assert complex_.complexity > 0.5 > simple.complexity


def test_it_was_trained_on_the_shipped_encoder(encoder: OnnxEncoder, router: Router) -> None:
    assert router.encoder_id == encoder.id


def test_it_takes_well_under_a_millisecond(encoder: OnnxEncoder, router: Router) -> None:
    text = "How often is the emergency trolley checked?"
    vector = encoder.encode([text])[0]
    router.classify(vector, text)
    start = time.thread_time()
    for _ in range(200):
        router.classify(vector, text)
    assert (time.thread_time() - start) / 200 < 0.001


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=500), st.integers(0, 2**32 - 1))
def test_any_input_gives_probabilities(text: str, seed: int) -> None:
    vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
    seen = Router.load().classify(vector / np.linalg.norm(vector), text)
    for value in (seen.confidence, seen.complexity, seen.reasoning, seen.in_scope):
        assert 0 <= value <= 1


@pytest.mark.parametrize(
    "vector",
    [
        np.zeros(383, np.float32),
        np.zeros((1, 384), np.float32),
        np.full(384, np.nan, np.float32),
        np.full(384, np.inf, np.float32),
    ],
    ids=["short", "two dimensions", "nan", "inf"],
)
def test_what_is_no_vector_is_refused(router: Router, vector: np.ndarray) -> None:
    with pytest.raises(InputError, match="vector"):
        router.classify(vector, "text")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"gone\.npz"):
        Router.load(tmp_path / "gone.npz")


BROKEN = {
    "empty": b"",
    "text": b"not weights",
    "truncated": DEFAULT_WEIGHTS.read_bytes()[:5000],
    "one byte": b"\x00",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_broken_weights_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "router.npz"
    path.write_bytes(content)
    with pytest.raises(ModelInvalid, match=r"router\.npz"):
        Router.load(path)


def test_a_folder_is_no_weights(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        Router.load(tmp_path)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, DEFAULT_WEIGHTS.stat().st_size - 1), st.integers(1, 255))
def test_a_changed_byte_gives_an_error_or_the_same_router(at: int, mask: int) -> None:
    """A byte of a time stamp in the archive changes nothing; any other is noticed."""
    content = bytearray(DEFAULT_WEIGHTS.read_bytes())
    content[at] ^= mask
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "router.npz")
        path.write_bytes(content)
        try:
            changed = Router.load(path)
        except ModelInvalid:
            return
    vector = np.full(384, 384**-0.5, np.float32)
    assert changed.classify(vector, "text") == Router.load().classify(vector, "text")


@pytest.mark.parametrize("name", ["classes", "features", "kind/weight0", "encoder", "scope/bias0"])
def test_weights_with_a_part_missing_are_refused(tmp_path: Path, name: str) -> None:
    arrays = {key: value for key, value in _shipped().items() if key != name}
    with pytest.raises(ModelInvalid):
        Router.from_arrays(arrays, "x.npz")


@pytest.mark.parametrize(
    "name", ["kind/weight0", "intents/weight0", "familiar/bias1", "scope/bias0"]
)
@pytest.mark.parametrize("other", [np.zeros((3, 3)), np.array("x"), np.zeros(())], ids=str)
def test_weights_of_another_shape_are_refused(name: str, other: np.ndarray) -> None:
    with pytest.raises(ModelInvalid):
        Router.from_arrays(_shipped() | {name: other}, "x.npz")


def test_weights_for_other_classes_are_refused() -> None:
    arrays = _shipped() | {"classes": np.array(list(reversed(CLASSES)))}
    with pytest.raises(ModelInvalid, match="other classes"):
        Router.from_arrays(arrays, "x.npz")


def test_pickled_weights_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "router.npz"
    np.savez(path, classes=np.array([object()], dtype=object))
    with pytest.raises(ModelInvalid):
        Router.load(path)


def _shipped() -> dict[str, np.ndarray]:
    with np.load(DEFAULT_WEIGHTS) as file:
        return {name: file[name] for name in file.files}
