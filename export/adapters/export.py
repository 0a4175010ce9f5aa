"""`skerry export lora`: an adapter for a runtime, as a GGUF adapter or in its base."""

from __future__ import annotations

import tempfile
from pathlib import Path

from skerry.export.adapters.base import read_base
from skerry.export.adapters.gguf_adapter import Precision, write_gguf_adapter
from skerry.export.adapters.merge import merge
from skerry.export.adapters.peft_folder import Adapter, read_adapter
from skerry.export.errors import OutputFailed
from skerry.export.exporter import Progress, unheard


def export_lora(
    adapter: Path, source: Path, out: Path, *, precision: Precision = "f32", replace: bool = False
) -> Adapter:
    """Writes the GGUF adapter `out` from a PEFT folder; returns what was read.

    Args:
        source: the model that it is for, a GGUF file or a Hugging Face folder; of it only what it
            says of itself is read.

    Raises:
        ExportError: it cannot be done; nothing is left at `out`, and what was there stays.
    """
    _check_place(out, replace=replace)
    base = read_base(source)
    read = read_adapter(adapter, base)
    write_gguf_adapter(read, base, out, precision=precision)
    return read


def export_merged(
    adapter: Path, source: Path, out: Path, *, progress: Progress = unheard
) -> Adapter:
    """Writes a Hugging Face folder `out` with the adapter in its weights; returns what was read.

    A GGUF source is unpacked to float32 first, which needs transformers.

    Raises:
        ExportError: it cannot be done; nothing is left at `out`.
    """
    from skerry.export.genai.source import open_source

    _check_place(out, replace=False)
    read = read_adapter(adapter, read_base(source))
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".source-") as unpacked:
        merge(read, open_source(source, Path(unpacked)).folder, out, progress=progress)
    return read


def export_merged_gguf(
    adapter: Path, source: Path, out: Path, *, precision: str, progress: Progress = unheard
) -> Adapter:
    """Writes the GGUF model `out` with the adapter in its weights; returns what was read.

    Args:
        precision: one of `GgufExporter.precisions()`.

    Raises:
        ExportError: it cannot be done; nothing is left at `out`.
    """
    from skerry.export.gguf.exporter import FILE, GgufExporter

    _check_place(out, replace=False)
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".merged-") as made:
        whole, packed = Path(made) / "merged", Path(made) / "gguf"
        read = export_merged(adapter, source, whole, progress=progress)
        GgufExporter().export(whole, precision, packed, progress=progress)
        (packed / FILE).rename(out)
    return read


def _check_place(out: Path, *, replace: bool) -> None:
    if out.exists() and not (replace and out.is_file()):
        raise OutputFailed(f"'{out}' exists already", hint="remove it, or give another --out")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"'{out}' cannot be made: {error.strerror}") from error
