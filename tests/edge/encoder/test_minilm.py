"""The shipped encoder: close to float32, indifferent to what else is encoded, hard to break."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.edge.encoder import DEFAULT_FOLDER, OnnxEncoder, TextEncoder, read_manifest
from skerry.edge.encoder.ahead import Ahead
from skerry.edge.errors import EncoderError, InputError
from skerry.guardrails.weights import write_manifest

FLOAT32 = Path(__file__).parent / "float32.npz"
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder.load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "encoder"))


def test_it_is_a_text_encoder(encoder: OnnxEncoder) -> None:
    checked: TextEncoder = encoder
    assert (checked.dimensions, checked.max_tokens) == (384, 256)
    assert checked.id.startswith("minilm-l6-int8@")


def test_vectors_are_close_to_the_float32_model(encoder: OnnxEncoder) -> None:
    reference = np.load(FLOAT32)
    vectors = encoder.encode([str(text) for text in reference["texts"]])
    cosines = np.einsum("ij,ij->i", vectors, reference["vectors"].astype(np.float32))
    assert cosines.mean() >= 0.993
    assert cosines.min() >= 0.97


def test_meaning_orders_texts(encoder: OnnxEncoder) -> None:
    texts = ["How often is the trolley checked?", "The trolley is checked daily.", "I like jazz."]
    question, answer, other = encoder.encode(texts)
    assert question @ answer > question @ other + 0.3


def test_the_files_are_within_their_size(encoder: OnnxEncoder) -> None:
    assert sum(path.stat().st_size for path in DEFAULT_FOLDER.iterdir()) <= 23.1e6


TEXTS = ["How often is the trolley checked?", "", "a\0b", "x" * 90_000, "The trolley, daily. " * 80]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_text_can_be_encoded_while_something_else_is_done(threads: int) -> None:
    encoder = OnnxEncoder.load(threads=threads)
    for text in TEXTS:
        np.testing.assert_allclose(encoder.begin(text)(), encoder.encode([text]), atol=ROUNDING)


def test_of_several_that_are_begun_each_has_its_own_vector() -> None:
    encoder = OnnxEncoder.load(threads=2)
    begun = [encoder.begin(text) for text in TEXTS]
    expected = encoder.encode(TEXTS)
    for row in reversed(range(len(TEXTS))):
        np.testing.assert_allclose(begun[row]()[0], expected[row], atol=ROUNDING)


def test_threads_may_begin_at_once() -> None:
    encoder = OnnxEncoder.load(threads=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: encoder.begin(text)()[0], TEXTS * 8))
    np.testing.assert_allclose(found, np.tile(encoder.encode(TEXTS), (8, 1)), atol=ROUNDING)


def test_what_cannot_be_begun_leaves_the_encoder_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = OnnxEncoder.load(threads=2)

    def fail(_self: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(Ahead, "start", fail)
        with pytest.raises(RuntimeError):
            encoder.begin("a")
    np.testing.assert_allclose(encoder.begin("a")(), encoder.encode(["a"]), atol=ROUNDING)


def test_a_pass_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the caller gets the vector, or the error that `encode` has."""
    encoder = OnnxEncoder.load(threads=2)
    end = Ahead._end
    monkeypatch.setattr(Ahead, "_end", lambda self, outputs, given, _: end(self, [], given, "no"))
    np.testing.assert_allclose(encoder.begin("a")(), encoder.encode(["a"]), atol=ROUNDING)


AWKWARD = {
    "empty": "",
    "space": " \n\t ",
    "nul": "a\0b",
    "lone surrogate": "a\ud800b",
    "only a lone surrogate": "\udfff",
    "emoji": "👩🏽‍⚕️ 💊",
    "right to left": "متى تغلق الصيدلية؟",
    "combining marks": "Z" + "\u0301" * 500,
    "one endless word": "x" * 5000,
    "markers": "[CLS] [SEP] [PAD] [MASK]",
    "bell": "\x07\x1b[31mred",
}


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_text_gives_a_unit_vector(encoder: OnnxEncoder, text: str) -> None:
    vectors = encoder.encode([text])
    assert vectors.shape == (1, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_a_unit_vector(text: str) -> None:
    shared = _shared()
    assert np.linalg.norm(shared.encode([text])[0]) == pytest.approx(1, abs=1e-4)
    assert shared.count_tokens(text) >= 2


def test_no_texts_give_no_vectors(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_ten_megabytes_are_cut_off(encoder: OnnxEncoder) -> None:
    huge = "word " * 2_000_000
    assert np.array_equal(encoder.encode([huge]), encoder.encode([huge[:20_000]]))


def test_text_past_the_last_token_does_not_count(encoder: OnnxEncoder) -> None:
    body = "ward " * 254
    same, shorter = encoder.encode([body + "fire!", body[:500]]), encoder.encode([body])
    assert np.array_equal(same[0], shorter[0])
    assert not np.allclose(same[1], shorter[0], atol=1e-3)


def test_control_characters_and_surrogates_are_dropped(encoder: OnnxEncoder) -> None:
    assert np.array_equal(encoder.encode(["phar\0ma\ud800cy"]), encoder.encode(["pharmacy"]))


def test_a_vector_does_not_depend_on_its_company(encoder: OnnxEncoder) -> None:
    texts = [f"bed {i} " + "is free " * (i % 7) for i in range(300)]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts[:20]])
    assert np.abs(together[:20] - alone).max() <= ROUNDING


def test_loading_twice_gives_the_same_vectors(encoder: OnnxEncoder) -> None:
    texts = ["a", "two words", "Where is the crash cart?"]
    assert np.array_equal(OnnxEncoder.load(threads=2).encode(texts), encoder.encode(texts))


def test_threads_can_share_it(encoder: OnnxEncoder) -> None:
    texts = [f"question {i} about {'dose ' * (i % 5)}" for i in range(40)]
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: encoder.encode([text])[0], texts))
    assert np.abs(np.array(rows) - expected).max() <= ROUNDING


@pytest.mark.parametrize("texts", ["one text", [b"bytes"], [None]], ids=str)
def test_what_is_not_text_is_refused(encoder: OnnxEncoder, texts: object) -> None:
    with pytest.raises(InputError):
        encoder.encode(texts)  # type: ignore[arg-type]


COUNTS = {
    "empty": ("", 2),
    "words": ("the ward is quiet", 6),
    "markers are text": ("[SEP]", 5),
    "longer than a vector takes": ("ward " * 1000, 1002),
    "longer than one piece": ("ward " * 40_000, 40_002),
}


@pytest.mark.parametrize(("text", "tokens"), COUNTS.values(), ids=COUNTS.keys())
def test_tokens_are_counted_to_the_end(encoder: OnnxEncoder, text: str, tokens: int) -> None:
    assert encoder.count_tokens(text) == tokens


@pytest.mark.parametrize("name", ["encoder.json", "model.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EncoderError, match=name) as caught:
        OnnxEncoder.load(folder)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_truncated_file_is_refused(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(EncoderError, match="truncated or was changed"):
        OnnxEncoder.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_one_changed_byte_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match=name):
        OnnxEncoder.load(folder)


@pytest.mark.parametrize(
    ("name", "what"), [("model.onnx", "model"), ("tokenizer.json", "tokenizer")]
)
def test_a_file_of_another_kind_is_refused(folder: Path, name: str, what: str) -> None:
    (folder / name).write_text("not what the name says")
    _trust(folder, name)
    with pytest.raises(EncoderError, match=what):
        OnnxEncoder.load(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"name": "x"}', "\x00"], ids=repr)
def test_a_broken_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / "encoder.json").write_text(content)
    with pytest.raises(EncoderError, match="manifest"):
        OnnxEncoder.load(folder)


def test_the_id_follows_the_files(folder: Path) -> None:
    before = read_manifest(folder).id
    (folder / "tokenizer.json").write_text("{}")
    _trust(folder, "tokenizer.json")
    assert read_manifest(folder).id != before


def _trust(folder: Path, name: str) -> None:
    """Writes the digest of a changed file into the manifest, as a forger would."""
    import hashlib

    path = folder / "encoder.json"
    manifest = json.loads(path.read_text())
    manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    write_manifest(path, manifest)


_loaded: list[OnnxEncoder] = []


def _shared() -> OnnxEncoder:
    """Hypothesis runs a test many times, and a function-scoped fixture only once."""
    if not _loaded:
        _loaded.append(OnnxEncoder.load())
    return _loaded[0]
