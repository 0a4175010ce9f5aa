"""Block scales that stay between versions: the delta shrinks, the weights are kept as well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType
from gguf.quants import dequantize

from skerry.bundles.gguf.ggml import TYPES_BY_NAME
from skerry.export.errors import SourceRefused, Unsupported
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.opened import read_back
from skerry.export.gguf.steady import LAYOUTS, keep_scales
from tests.export.gguf import tiny


@pytest.mark.parametrize("kind", LAYOUTS)
def test_layouts_are_ggmls(kind: str) -> None:
    layout, rng = LAYOUTS[kind], np.random.default_rng(0)
    codes = rng.integers(layout.low, layout.high + 1, (50, 32)).astype(np.int8)
    body = layout.packed(codes)
    assert np.array_equal(layout.codes(body), codes)
    scales = rng.uniform(0.01, 1, (50, 1)).astype(np.float16)
    blocks = np.concatenate([scales.view(np.uint8), body], axis=1)
    assert blocks.shape == (50, TYPES_BY_NAME[kind].bytes)
    values = dequantize(blocks, GGMLQuantizationType(TYPES_BY_NAME[kind].number))
    assert np.array_equal(values, codes * scales.astype(np.float32))


def versions(tmp_path: Path, noise: float) -> tuple[Path, Path]:
    """A model, and the same after a little training: every weight has moved."""
    old = tiny.save_model(tmp_path / "old")
    rng = np.random.default_rng(1)
    moved = {
        name: (values + noise * values.std() * rng.standard_normal(values.shape)).astype(np.float32)
        for name, values in old.items()
    }
    tiny.save_model(tmp_path / "new", changed=moved)
    return tmp_path / "old", tmp_path / "new"


def values_of(path: Path) -> dict[str, np.ndarray]:
    from gguf import GGUFReader

    return {
        one.name: dequantize(one.data, one.tensor_type) for one in GGUFReader(str(path)).tensors
    }


@pytest.mark.parametrize(
    ("kind", "share", "ratio"), [("q4_0", 0.9, 0.8), ("q5_0", 0.9, 0.8), ("q8_0", 0.5, 0.95)]
)
def test_small_changes_make_small_deltas(
    kind: str, share: float, ratio: float, tmp_path: Path
) -> None:
    old, new = versions(tmp_path, 1e-3)
    plain = GgufExporter(threads=1)
    before = plain.export(old, kind, tmp_path / "before").folder / FILE
    after = plain.export(new, kind, tmp_path / "after").folder / FILE
    floats = plain.export(new, "f32", tmp_path / "float").folder / FILE
    true, apart = values_of(floats), values_of(after)
    kept = keep_scales(after, before, floats)
    assert kept.share > share
    assert kept.delta_bytes < ratio * kept.delta_bytes_before
    for name, values in values_of(after).items():
        error, usual = (np.square(one - true[name]).sum() for one in (values, apart[name]))
        assert error <= 1.001 * usual
    assert keep_scales(after, before, floats).delta_bytes == kept.delta_bytes


def test_other_weights_keep_nothing(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "old")
    tiny.save_model(tmp_path / "new", seed=9)
    plain = GgufExporter(threads=1)
    before = plain.export(tmp_path / "old", "q4_0", tmp_path / "before").folder / FILE
    after = plain.export(tmp_path / "new", "q4_0", tmp_path / "after").folder / FILE
    floats = plain.export(tmp_path / "new", "f32", tmp_path / "float").folder / FILE
    bytes_before = after.read_bytes()
    assert keep_scales(after, before, floats).tensors == 0
    assert after.read_bytes() == bytes_before


def test_an_export_beside_its_previous_version(tmp_path: Path) -> None:
    old, new = versions(tmp_path, 1e-3)
    before = GgufExporter(threads=1).export(old, "q5_0", tmp_path / "before").folder / FILE
    made = GgufExporter(previous=before, threads=1).export(new, "q5_0", tmp_path / "made")
    facts = made.facts["scales"]
    assert facts["kept_share"] > 0.9
    assert facts["delta_bytes"] < facts["delta_bytes_before"]
    plain = GgufExporter(threads=1).export(new, "q5_0", tmp_path / "plain")
    assert (made.folder / FILE).stat().st_size == (plain.folder / FILE).stat().st_size
    assert [one.kind for one in read_back(made.folder / FILE).tensors] == [
        one.kind for one in read_back(plain.folder / FILE).tensors
    ]


def test_a_previous_version_of_another_type_changes_nothing(tmp_path: Path) -> None:
    old, new = versions(tmp_path, 1e-3)
    before = GgufExporter(threads=1).export(old, "f16", tmp_path / "before").folder / FILE
    made = GgufExporter(previous=before, threads=1).export(new, "q4_0", tmp_path / "made")
    plain = GgufExporter(threads=1).export(new, "q4_0", tmp_path / "plain")
    assert (made.folder / FILE).read_bytes() == (plain.folder / FILE).read_bytes()
    assert made.facts["scales"]["kept_share"] == 0


def test_what_cannot_be_a_previous_version(tmp_path: Path) -> None:
    tiny.save_model(tmp_path / "model")
    with pytest.raises(SourceRefused):
        GgufExporter(previous=tmp_path / "none").export(
            tmp_path / "model", "q4_0", tmp_path / "made"
        )
    made = GgufExporter(threads=1).export(tmp_path / "model", "q4_0", tmp_path / "q4_0")
    with pytest.raises(Unsupported, match="float source"):
        GgufExporter(previous=made.folder / FILE).export(
            made.folder / FILE, "q4_0", tmp_path / "made"
        )
    assert not (tmp_path / "made").exists()
