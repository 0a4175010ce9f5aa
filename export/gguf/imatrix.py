"""The importance matrix: how much each column of each weight matters, by a calibration text.

For y = W x the error that a quantized W makes is the sum over columns of (error of the weights
in it) x (mean of squared x): llama.cpp weighs columns so when it is given these means. They are
taken while llama.cpp itself runs the text (`observer.py`); no other framework is needed. Files
are those of llama.cpp's llama-imatrix (GGUF with `<weight>.in_sum2` and `<weight>.counts`),
readable by both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.container import Gguf, TensorInfo, read_gguf
from skerry.export.errors import MissingExtra, SourceRefused, Unsupported
from skerry.export.exporter import Progress, unheard
from skerry.export.gguf.fidelity import WINDOW, windows_of
from skerry.export.gguf.loaded import LoadedGguf
from skerry.export.gguf.observer import InputSquares
from skerry.export.gguf.opened import refusing

LEAST_TOKENS = 1024
"""Fewer say too little of rare columns."""

_MAX_TEXT_BYTES = 64 << 20
_SUMS, _COUNTS = ".in_sum2", ".counts"


Sums = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Imatrix:
    """`sums`: by weight name the sums of squared inputs, float32 of the weight's columns.

    `counts`: over how many inputs; `text` names what was read.
    """

    sums: dict[str, Sums]
    counts: dict[str, int]
    text: str = ""

    def means(self) -> dict[str, Sums]:
        """What llama.cpp quantizes with."""
        return {
            name: (values / np.float32(max(self.counts[name], 1))).astype(np.float32)
            for name, values in self.sums.items()
        }

    def check(self, model: Gguf) -> None:
        """Raises Unsupported: it was measured on another model."""
        columns = {one.name: one.shape[0] for one in model.tensors}
        matched = [name for name in self.sums if name in columns]
        unlike = [name for name in matched if len(self.sums[name]) != columns[name]]
        if unlike or not matched:
            what = f"{unlike[0]} has other columns" if unlike else "it has none of the tensors"
            raise Unsupported(
                f"the importance matrix is of another model: {what}",
                hint="measure one on this model",
            )


def read_text(path: Path) -> str:
    """A calibration text; SourceRefused when it cannot be read as UTF-8 or is too large."""
    try:
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise SourceRefused(f"'{path}' is too large a calibration text", hint="cut it")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceRefused(f"the text '{path}' cannot be read: {error}") from error


def measure(
    model: Path, text: str, *, name: str = "", threads: int = 0, progress: Progress = unheard
) -> Imatrix:
    """Runs a GGUF model over a calibration text.

    The embedding counts as a weight where it is the head as well.

    Raises:
        Unsupported: the text has fewer than `LEAST_TOKENS` tokens.
        OutputFailed: llama.cpp cannot run the model.
    """
    seen = InputSquares()
    loaded = LoadedGguf(model, threads=threads, observer=seen.callback)
    try:
        ids = loaded.tokenize(text)
        if len(ids) < LEAST_TOKENS:
            raise Unsupported(
                f"the calibration text has {len(ids)} tokens; {LEAST_TOKENS} are needed",
                hint="give a longer text, of the kind that the model will read",
            )
        windows = list(windows_of(ids))
        for place, window in enumerate(windows, 1):
            loaded.logits(window)
            progress("measuring which weights matter", place / len(windows))
    finally:
        loaded.close()
    sums = {weight: values.astype(np.float32) for weight, values in seen.sums.items()}
    return Imatrix(sums, seen.counts, name)


def save(imatrix: Imatrix, path: Path) -> None:
    """Writes the file of llama.cpp's llama-imatrix; needs the package `gguf`."""
    try:
        from gguf import GGUFWriter
    except ImportError as error:
        raise MissingExtra(
            "writing GGUF needs gguf", hint="pip install 'skerry[export]'"
        ) from error
    writer = GGUFWriter(str(path), "imatrix")
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", [imatrix.text or "text"])
    chunks = max(imatrix.counts.values(), default=0) // WINDOW
    writer.add_uint32("imatrix.chunk_count", chunks)
    writer.add_uint32("imatrix.chunk_size", WINDOW)
    for name in sorted(imatrix.sums):
        writer.add_tensor(name + _SUMS, imatrix.sums[name][None])
        writer.add_tensor(name + _COUNTS, np.array([[imatrix.counts[name]]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def load(path: Path) -> Imatrix:
    """Reads such a file, of this room or of llama.cpp; matrices of experts are not taken.

    Raises:
        SourceRefused: it is none, or damaged, or not a sum of squares.
    """
    with refusing(SourceRefused):
        file = read_gguf(path)
    if file.metadata.get("general.type") != "imatrix":
        raise SourceRefused(f"{path} is no importance matrix", hint="llama-imatrix writes some")
    tensors = {one.name: one for one in file.tensors}
    weights = [name.removesuffix(_SUMS) for name in tensors if name.endswith(_SUMS)]
    try:
        rows = {name: _row(path, tensors, name) for name in weights}
    except (KeyError, ValueError) as error:
        raise SourceRefused(f"{path} is damaged: {error}", hint="measure it again") from error
    sums = {name: values for name, (values, _) in rows.items()}
    return Imatrix(sums, {name: count for name, (_, count) in rows.items()}, path.name)


def _row(path: Path, tensors: Mapping[str, TensorInfo], name: str) -> tuple[Sums, int]:
    """The sums and the count of one weight."""
    values = _floats(path, tensors[name + _SUMS])
    counts = _floats(path, tensors[name + _COUNTS])
    if not np.isfinite(values).all() or values.min() < 0 or len(counts) != 1 or counts[0] < 1:
        raise ValueError(f"the sums of {name} are no sums of squares")
    return values, int(counts[0])


def _floats(path: Path, tensor: TensorInfo) -> Sums:
    if tensor.kind.name != "f32":
        raise ValueError(f"{tensor.name} is {tensor.kind.name}, not f32")
    return np.fromfile(path, np.float32, count=tensor.values, offset=tensor.offset)
