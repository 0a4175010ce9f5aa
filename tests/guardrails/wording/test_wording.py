"""Words, their table, and the network: exact on small cases, bounded on hostile ones, checked."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.injection import detector, meaning
from skerry.guardrails.injection.detector import InjectionDetector
from skerry.guardrails.normal import normalise
from skerry.guardrails.safety import classifier
from skerry.guardrails.safety.classifier import SafetyClassifier
from skerry.guardrails.weights import Weights, write_manifest
from skerry.guardrails.wording import network, read_shared, table
from skerry.guardrails.wording.network import WIDTH, Network
from skerry.guardrails.wording.table import WordTable, shared
from skerry.guardrails.wording.words import LONGEST, SHAPES, Words, read


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in read_shared(text).spans]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("at 3.5 mg e.g. daily", ["at 3.5 mg e.g. daily"]),
        ("a line\nthat goes on", ["a line\nthat goes on"]),
        ("a line\n\nanother", ["a line", "another"]),
        ("Text\n- item\n- item two", ["Text", "- item", "- item two"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_a_sentence_without_an_end_is_cut() -> None:
    words = read_shared("word " * (LONGEST + 1))
    assert (words.lasts - words.firsts).tolist() == [LONGEST, 1]


@given(st.text(max_size=400))
@settings(deadline=None)
def test_spans_are_in_order_and_every_word_is_in_one(text: str) -> None:
    plain = normalise(text).text
    words = read_shared(plain)
    bounds = [bound for span in words.spans for bound in span]
    assert bounds == sorted(bounds)
    left_out = [
        plain[end:start]
        for (_, end), (start, _) in itertools.pairwise([(0, 0), *words.spans, (len(plain), 0)])
    ]
    assert not any(any(one.isalnum() for one in part) for part in left_out)
    assert len(words.rows) == len(words.shapes)
    assert ((words.rows >= 0) & (words.rows < len(shared().vectors))).all()


def test_case_and_digits_for_letters_do_not_change_the_word() -> None:
    known = shared().row("instructions")
    assert known[1]
    assert shared().row("1nstruct10ns") == known
    upper, lower = read_shared("IGNORE"), read_shared("ignore")
    assert upper.rows.tolist() == lower.rows.tolist()
    assert upper.shapes.tolist() != lower.shapes.tolist()


def test_unknown_words_are_counted() -> None:
    known, odd = read_shared("the trolley is checked"), read_shared("gur gebyyrl vf purpxrq, 12")
    assert known.unknown.tolist() == [0.0]
    assert odd.unknown[0] > 0.5


def made_network() -> tuple[Network, dict[str, np.ndarray]]:
    draw = np.random.default_rng(3)
    vectors = shared().vectors
    inputs = WIDTH * (vectors.shape[1] + SHAPES)
    sizes = {"filters": (inputs, 7), "hidden": (14, 5), "out": (5, 2)}
    parts = {name: draw.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    biases = {f"{name}_bias": draw.normal(size=size[1]) for name, size in sizes.items()}
    parts |= {name: one.astype(np.float32) for name, one in biases.items()}
    return Network(vectors, parts), parts


def slowly(parts: dict[str, np.ndarray], words: Words) -> np.ndarray:
    """The network as its docstring says, word by word."""
    made = []
    for first, last in zip(words.firsts, words.lasts, strict=True):
        seen = []
        for at in range(first, last):
            window = [
                np.concatenate([shared().vectors[row], np.eye(SHAPES)[shape]])
                for row, shape in zip(
                    words.rows[at - 2 : at + 3], words.shapes[at - 2 : at + 3], strict=True
                )
            ]
            flat = np.concatenate(window)
            seen.append(np.maximum(flat @ parts["filters"] + parts["filters_bias"], 0))
        pooled = np.concatenate([np.max(seen, axis=0), np.mean(seen, axis=0)])
        inner = np.maximum(pooled @ parts["hidden"] + parts["hidden_bias"], 0)
        made.append(inner @ parts["out"] + parts["out_bias"])
    return np.array(made)


def test_the_network_is_what_its_formula_says(monkeypatch: pytest.MonkeyPatch) -> None:
    fast, parts = made_network()
    words = read_shared("Check the trolley. IGNORE the noise! 12 mg, twice\n\n- a list of things")
    np.testing.assert_allclose(fast.logits(words), slowly(parts, words), rtol=1e-3, atol=1e-3)
    whole = fast.logits(words)
    monkeypatch.setattr(network, "_PIECE", 8)
    np.testing.assert_allclose(fast.logits(words), whole, rtol=1e-4, atol=1e-4)


def test_no_words_have_no_logits() -> None:
    assert made_network()[0].logits(read_shared("")).shape == (0, 2)


FOLDERS = {
    "table": (table.DEFAULT_FOLDER, table.TABLE, table.MANIFEST),
    "injection": (detector.DEFAULT_FOLDER, network.HEAD, detector.MANIFEST),
    "meaning": (detector.DEFAULT_FOLDER, meaning.HEAD, detector.MANIFEST),
    "safety": (classifier.DEFAULT_FOLDER, network.HEAD, classifier.MANIFEST),
}


def load(kind: str, folder: Path) -> object:
    if kind == "table":
        return WordTable.load(folder)
    return SafetyClassifier.load(folder) if kind == "safety" else InjectionDetector.load(folder)


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("which", [1, 2])
@pytest.mark.parametrize("how", ["missing", "changed", "cut", "empty"])
def test_a_file_that_is_missing_or_was_changed_is_refused(
    tmp_path: Path, kind: str, which: int, how: str
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(FOLDERS[kind][0], folder)
    assert load(kind, folder)
    file = folder / FOLDERS[kind][which]
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    left = {"changed": bytes(content), "cut": bytes(content[:40]), "empty": b""}
    file.unlink()
    if how != "missing":
        file.write_bytes(left[how])
    with pytest.raises(GuardrailError) as caught:
        load(kind, folder)
    assert caught.value.hint


def signed(folder: Path, manifest: str, name: str, content: bytes) -> None:
    """Puts `content` into the folder, under its right digest."""
    import hashlib

    document = json.loads((folder / manifest).read_text())
    document["sha256"][name] = hashlib.sha256(content).hexdigest()
    write_manifest(folder / manifest, document)
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_manifest_that_was_changed_is_refused(tmp_path: Path, kind: str) -> None:
    """Levels are in it: a level that nothing reaches would switch a guardrail off."""
    folder = tmp_path / "weights"
    shutil.copytree(FOLDERS[kind][0], folder)
    path = folder / FOLDERS[kind][2]
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "name": "another"}))
    with pytest.raises(GuardrailError, match="its seal is not right"):
        load(kind, folder)


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("content", [b"", b"no arrays", b"PK\x03\x04" + b"\0" * 60])
def test_a_file_that_holds_no_arrays_is_refused(tmp_path: Path, kind: str, content: bytes) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(FOLDERS[kind][0], folder)
    signed(folder, FOLDERS[kind][2], FOLDERS[kind][1], content)
    with pytest.raises(GuardrailError):
        load(kind, folder)


def test_a_head_of_another_table_is_refused() -> None:
    weights = Weights.read(detector.DEFAULT_FOLDER, detector.MANIFEST)
    narrow = WordTable(shared().vectors[:, :9], {})
    with pytest.raises(GuardrailError):
        Network.load(weights, narrow)


def test_a_table_reads_any_word() -> None:
    for word in ("", "\ud800", "x" * 500, "忽"):
        row, _ = shared().row(word)
        assert 0 <= row < len(shared().vectors)
    assert read("\ud800 \udfff", shared()).rows.size
