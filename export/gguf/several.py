"""Several precisions of one source, made and measured: one row for each.

The source is made float once, its importance matrix and its predictions are measured once.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from skerry.export.exporter import Made, Progress, unheard
from skerry.export.genai.measure import Fidelity
from skerry.export.gguf import imatrix, texts
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.fidelity import reference

NINE = ("q8_0", "q6_k", "q5_k_m", "q5_0", "q4_k_m", "q4_k_s", "q4_0", "iq4_nl", "q3_k_m")
"""The types that most devices are given, from wide to narrow."""

TOKENS = 512


@dataclass(frozen=True, slots=True)
class Row:
    """One variant, with its fidelity to the float source on the held-out text."""

    made: Made
    fidelity: Fidelity


def make_all(
    source: Path,
    out: Path,
    precisions: Sequence[str] = NINE,
    *,
    weighed: bool = True,
    threads: int = 0,
    tokens: int = TOKENS,
    progress: Progress = unheard,
) -> list[Row]:
    """Makes a folder in `out`, which exists, for each precision, and measures what it lost.

    Args:
        source: a GGUF file or a Hugging Face folder.
        weighed: quantize with an importance matrix of the calibration text that comes with this.
        tokens: of the held-out text.

    Raises:
        ExportError: see `GgufExporter.export`.
    """
    floats = out / ".float"
    try:
        made = GgufExporter(threads=threads).export(source, "f16", floats, progress=progress)
        gguf, matrix = made.folder / FILE, floats / "imatrix.gguf"
        if weighed:
            text = texts.CALIBRATION.read_text("utf-8")
            imatrix.save(imatrix.measure(gguf, text, threads=threads, progress=progress), matrix)
        exporter = GgufExporter(imatrix=matrix if weighed else None, threads=threads)
        held = texts.HELD_OUT.read_text("utf-8")
        said = reference(gguf, held, tokens=tokens, threads=threads)
        rows = []
        for precision in precisions:
            one = exporter.export(gguf, precision, out / precision, progress=progress)
            rows.append(Row(one, said.measure(one.folder / FILE)))
        return rows
    finally:
        shutil.rmtree(floats, ignore_errors=True)
