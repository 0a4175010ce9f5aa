"""A guardrail model's files are what their manifest says, or they are not loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.grounding import GroundingChecker
from skerry.guardrails.grounding.model import DEFAULT_FOLDER, MANIFEST
from skerry.guardrails.weights import SEAL, Weights, sealed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_FOLDER, tmp_path / "weights"))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", MANIFEST])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(GuardrailError, match=name):
        GroundingChecker.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_one_changed_byte_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(GuardrailError, match="was changed"):
        GroundingChecker.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_truncated_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(GuardrailError, match="truncated"):
        GroundingChecker.load(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "x", "sha256": 5}', "\x00"])
def test_what_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(GuardrailError, match="not a model's manifest"):
        GroundingChecker.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_file_of_another_kind_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"something else")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["sha256"][name] = hashlib.sha256(b"something else").hexdigest()
    (folder / MANIFEST).write_text(json.dumps(sealed(manifest)))
    with pytest.raises(GuardrailError, match=r"no model|not a tokenizer"):
        GroundingChecker.load(folder)


@pytest.mark.parametrize(
    "change", [{"threshold": 0.01}, {"threshold": None}, {SEAL: ""}, {"more": 1}]
)
def test_a_manifest_that_was_changed_is_refused(folder: Path, change: dict[str, object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    assert sealed(manifest) == manifest
    (folder / MANIFEST).write_text(json.dumps({**manifest, **change}))
    with pytest.raises(GuardrailError, match="its seal is not right"):
        GroundingChecker.load(folder)


def test_the_order_of_a_manifest_does_not_matter(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(dict(reversed(manifest.items()))))
    GroundingChecker.load(folder)


def test_a_file_that_the_manifest_does_not_name_is_refused(folder: Path) -> None:
    (folder / "other.bin").write_bytes(b"x")
    with pytest.raises(GuardrailError, match="was changed"):
        Weights.read(folder, MANIFEST).content("other.bin")
