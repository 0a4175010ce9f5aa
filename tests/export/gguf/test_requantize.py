"""From a GGUF file to another: every type by name, what fell back, and what goes wrong."""

from __future__ import annotations

import os
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from skerry.device_profiles.profile import Format
from skerry.export.errors import ExportError, OutputFailed, SourceRefused, Unsupported
from skerry.export.exporter import Exporter, LoadedLlm
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.fidelity import Reference, log_softmax
from skerry.export.gguf.opened import read_back

TEXT = "The emergency trolley is checked every day before 09:00, and again after each use."


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.model
def test_what_is_made_loads_and_agrees_with_its_source(smollm2: Path, tmp_path: Path) -> None:
    exporter: Exporter = GgufExporter(threads=1)
    heard: list[float] = []
    made = exporter.export(
        smollm2, "Q8_0", tmp_path / "made", progress=lambda _what, done: heard.append(done)
    )
    assert (made.format, made.precision, made.files) == (Format.GGUF, "q8_0", (Path(FILE),))
    assert heard == sorted(heard)
    assert heard[-1] == 1
    source, copy = exporter.load(smollm2), exporter.load(made.folder)
    assert isinstance(source, LoadedLlm)
    assert isinstance(copy, LoadedLlm)
    ids = source.tokenize(TEXT)
    assert copy.tokenize(TEXT) == ids
    theirs, ours = source.logits(ids), copy.logits(ids)
    assert ours.shape == (len(ids), 49152)
    kept = Reference((tuple(ids),), (log_softmax(theirs),)).measure(made.folder / FILE)
    assert kept.kl_mean_nats < 0.01
    assert kept.top1_agreement == (theirs.argmax(1) == ours.argmax(1)).mean() > 0.9
    source.close()
    copy.close()
    copy.close()


@pytest.mark.model
def test_types_that_fell_back_are_told_and_counted(smollm2: Path, tmp_path: Path) -> None:
    made = GgufExporter(threads=1).export(smollm2, "q4_k_m", tmp_path / "made")
    tensors = read_back(made.folder / FILE).tensors
    assert made.facts["tensor_types"] == Counter(tensor.kind.name for tensor in tensors)
    narrow = [one for one in tensors if len(one.shape) > 1 and one.shape[0] % 256]
    assert narrow
    assert not any(one.kind.name == "q4_K" for one in narrow)
    told = [note for note in made.notes if "not q4_K" in note]
    assert sum(int(note.split()[0]) for note in told) == len(narrow)
    assert made.facts["size_bytes"] == (made.folder / FILE).stat().st_size
    assert 5 < made.facts["bits_per_weight"] < 7


@pytest.mark.model
def test_logits_do_not_depend_on_what_was_asked_before(
    smollm2_f16: Path,
) -> None:
    loaded = GgufExporter(threads=1).load(smollm2_f16)
    ids = loaded.tokenize(TEXT * 15)
    assert len(ids) > 256
    whole = loaded.logits(ids)
    assert np.abs(loaded.logits(ids[:20]) - whole[:20]).max() < 0.05
    assert loaded.logits([]).shape == (0, 49152)
    with pytest.raises(ValueError, match="no token"):
        loaded.logits([49152])
    loaded.close()


@pytest.mark.parametrize("name", ["iq2_xxs", "IQ1_S", "q2_k_s", "iq3_xs"])
def test_types_that_need_an_importance_matrix(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="importance matrix") as caught:
        GgufExporter(threads=1).export(tmp_path / "model.gguf", name, tmp_path / "made")
    assert caught.value.hint
    assert name.lower() not in GgufExporter(threads=1).precisions()


@pytest.mark.parametrize("name", ["q4_9", "", "nvfp4", "int8"])
def test_types_that_are_not_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unsupported) as caught:
        GgufExporter(threads=1).export(tmp_path / "model.gguf", name, tmp_path / "made")
    assert caught.value.hint


HOSTILE = {
    "empty": b"",
    "text": b"not a model",
    "cut off": b"GGUF",
    "many keys": b"GGUF" + struct.pack("<IQQ", 3, 1, 2**62),
    "many tensors": b"GGUF" + struct.pack("<IQQ", 3, 2**62, 1),
    "long string": b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 2**63),
    "long array": b"GGUF"
    + struct.pack("<IQQQ", 3, 0, 1, 1)
    + b"k"
    + struct.pack("<IIQ", 9, 4, 2**61),
    "no architecture": b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(64),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_sources_are_refused_and_leave_nothing(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "source.gguf"
    source.write_bytes(content)
    with pytest.raises(SourceRefused):
        GgufExporter(threads=1).export(source, "q8_0", tmp_path / "made")
    assert left_in(tmp_path) == ["source.gguf"]


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="no model"):
        GgufExporter(threads=1).export(tmp_path / "none", "q8_0", tmp_path / "made")


@pytest.mark.model
def test_a_cut_off_model_is_refused(smollm2: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.gguf"
    half.write_bytes(smollm2.read_bytes()[: 40 << 20])
    with pytest.raises(SourceRefused, match="cut off"):
        GgufExporter(threads=1).export(half, "q8_0", tmp_path / "made")
    with pytest.raises(OutputFailed, match="cut off"):
        GgufExporter(threads=1).load(half)


@pytest.mark.parametrize("taken", ["folder", "file", "dangling"])
def test_nothing_is_overwritten(taken: str, smollm2: Path, tmp_path: Path) -> None:
    out = tmp_path / "made"
    {
        "folder": out.mkdir,
        "file": out.touch,
        "dangling": lambda: out.symlink_to(tmp_path / "nowhere"),
    }[taken]()
    with pytest.raises(OutputFailed, match="exists already"):
        GgufExporter(threads=1).export(smollm2, "q8_0", out)


def test_a_parent_that_is_not_there(smollm2: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="no folder"):
        GgufExporter(threads=1).export(smollm2, "q8_0", tmp_path / "none" / "made")


class Stopped(Exception):
    """What a progress bar raises to stop."""


@pytest.mark.model
def test_stopping_half_way_leaves_nothing(smollm2: Path, tmp_path: Path) -> None:
    def stop(_what: str, done: float) -> None:
        if done > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        GgufExporter(threads=1).export(smollm2, "q8_0", tmp_path / "made", progress=stop)
    assert left_in(tmp_path) == []


@pytest.mark.model
@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_disk_that_fills_up(
    smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files fails llama.cpp's writes as a full disk does."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, hard))
    try:
        with pytest.raises(ExportError, match="while quantizing"):
            GgufExporter(threads=1).export(smollm2, "q8_0", tmp_path / "made")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(tmp_path) == []
