"""Importance matrices: what llama.cpp saw is what the definition says, in memory and as a file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from skerry.export.errors import ExportError, SourceRefused, Unsupported
from skerry.export.gguf import imatrix, texts
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.fidelity import WINDOW, windows_of
from skerry.export.gguf.imatrix import Imatrix
from skerry.export.gguf.opened import read_back
from tests.export.gguf import tiny

TEXT = "The emergency trolley is checked every day before 09:00, and again after each use. " * 40


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[tiny.Weights, Path]:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    weights = tiny.save_model(folder)
    made = GgufExporter().export(folder, "f32", folder.parent / "made")
    return weights, made.folder / FILE


@pytest.fixture(scope="module")
def measured(model: tuple[tiny.Weights, Path]) -> Imatrix:
    return imatrix.measure(model[1], TEXT, name="trolley", threads=1)


def test_sums_are_those_of_the_definition(
    model: tuple[tiny.Weights, Path], measured: Imatrix
) -> None:
    weights, path = model
    loaded = GgufExporter(threads=1).load(path)
    ids = [one for window in windows_of(loaded.tokenize(TEXT)) for one in window]
    loaded.close()
    x = weights["model.embed_tokens.weight"][ids].astype(np.float64)
    given = tiny._norm(x, weights["model.layers.0.input_layernorm.weight"])
    for name in ("attn_q", "attn_k", "attn_v"):
        sums = measured.sums[f"blk.0.{name}.weight"]
        assert np.allclose(sums, np.square(given).sum(0), rtol=1e-3)
        assert measured.counts[f"blk.0.{name}.weight"] == len(ids)


def test_every_matrix_is_measured(model: tuple[tiny.Weights, Path], measured: Imatrix) -> None:
    matrices = {one.name: one for one in read_back(model[1]).tensors if len(one.shape) > 1}
    assert set(measured.sums) == set(matrices)
    for name, sums in measured.sums.items():
        assert sums.shape == (matrices[name].shape[0],)
        assert (sums > 0).all()
        assert measured.means()[name] == pytest.approx(sums / measured.counts[name])


def test_a_file_gives_back_what_was_measured(measured: Imatrix, tmp_path: Path) -> None:
    imatrix.save(measured, tmp_path / "imatrix.gguf")
    again = imatrix.load(tmp_path / "imatrix.gguf")
    assert again.counts == measured.counts
    assert all(np.array_equal(again.sums[name], sums) for name, sums in measured.sums.items())
    header = read_back(tmp_path / "imatrix.gguf")
    assert header.metadata["imatrix.chunk_size"] == WINDOW
    assert {one.name for one in header.tensors} >= {"blk.0.attn_q.weight.in_sum2"}


@pytest.mark.parametrize("text", ["", "Short.", TEXT[:500]])
def test_a_text_that_is_too_short(text: str, model: tuple[tiny.Weights, Path]) -> None:
    with pytest.raises(Unsupported, match="1024 are needed") as caught:
        imatrix.measure(model[1], text)
    assert caught.value.hint


def test_it_changes_what_is_made(model: tuple[tiny.Weights, Path], tmp_path: Path) -> None:
    """The weighted error falls, as that is what it is for."""
    weights, source = model
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    plain = GgufExporter(threads=1).export(source, "q4_0", tmp_path / "plain")
    weighed = GgufExporter(calibration=text, threads=1).export(source, "q4_0", tmp_path / "weighed")
    means = imatrix.measure(source, TEXT, threads=1).means()
    name = "blk.1.ffn_up.weight"
    true = weights["model.layers.1.mlp.up_proj.weight"]
    errors = [
        float((np.square(_values(made.folder / FILE, name) - true) * means[name]).sum())
        for made in (plain, weighed)
    ]
    assert errors[1] < errors[0]


def _values(path: Path, name: str) -> np.ndarray:
    from gguf import GGUFReader
    from gguf.quants import dequantize

    tensor = next(one for one in GGUFReader(str(path)).tensors if one.name == name)
    return dequantize(tensor.data, tensor.tensor_type)


def test_types_of_few_bits_are_made_with_one(
    model: tuple[tiny.Weights, Path], measured: Imatrix, tmp_path: Path
) -> None:
    imatrix.save(measured, tmp_path / "imatrix.gguf")
    exporter = GgufExporter(imatrix=tmp_path / "imatrix.gguf", threads=1)
    assert {"iq2_xxs", "iq1_s", "q2_k_s"} <= set(exporter.precisions())
    made = exporter.export(model[1], "iq2_xxs", tmp_path / "made")
    assert any("not iq2_xxs" in note for note in made.notes)


def test_one_of_another_model_is_refused(measured: Imatrix, tmp_path: Path) -> None:
    other = Imatrix({name: sums[:32] for name, sums in measured.sums.items()}, measured.counts)
    imatrix.save(other, tmp_path / "other.gguf")
    tiny.save_model(tmp_path / "model")
    with pytest.raises(Unsupported, match="another model"):
        GgufExporter(imatrix=tmp_path / "other.gguf").export(
            tmp_path / "model", "q4_0", tmp_path / "made"
        )
    assert not (tmp_path / "made").exists()


def test_a_model_is_no_importance_matrix(model: tuple[tiny.Weights, Path], tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="no importance matrix"):
        imatrix.load(model[1])


DAMAGED = {
    "negative": lambda sums: -sums,
    "not a number": lambda sums: sums * np.float32(np.nan),
}


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED)
def test_sums_that_are_none(change: object, measured: Imatrix, tmp_path: Path) -> None:
    assert callable(change)
    broken = {name: change(sums) for name, sums in measured.sums.items()}
    imatrix.save(Imatrix(broken, measured.counts), tmp_path / "imatrix.gguf")
    with pytest.raises(SourceRefused, match="no sums of squares"):
        imatrix.load(tmp_path / "imatrix.gguf")


def test_counts_that_are_missing(measured: Imatrix, tmp_path: Path) -> None:
    path = tmp_path / "imatrix.gguf"
    imatrix.save(measured, path)
    data = path.read_bytes().replace(b"attn_q.weight.counts", b"attn_q.weight.countz")
    path.write_bytes(data)
    with pytest.raises(SourceRefused, match="damaged"):
        imatrix.load(path)


@pytest.mark.parametrize("content", [b"", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60)])
def test_hostile_files(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "imatrix.gguf").write_bytes(content)
    with pytest.raises(SourceRefused):
        imatrix.load(tmp_path / "imatrix.gguf")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_calibration_texts_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    tiny.save_model(tmp_path / "model")
    with pytest.raises(ExportError):
        GgufExporter(calibration=path).export(tmp_path / "model", "q4_0", tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_the_texts_that_come_with_it_share_no_line() -> None:
    ours, held = (path.read_text("utf-8") for path in (texts.CALIBRATION, texts.HELD_OUT))
    lines = [{line for line in text.splitlines() if len(line) > 30} for text in (ours, held)]
    assert len(ours.split()) > 2000
    assert not lines[0] & lines[1]
