"""A source as a Hugging Face folder: as it is, or unpacked from GGUF."""

from __future__ import annotations

from pathlib import Path

from skerry.export.formats.needs import extra
from skerry.export.formats.sources import check_folder
from skerry.export.genai.source import open_source

_NEEDS = extra("export", "torch", "transformers", "gguf")


def unpacked(source: Path, work: Path) -> Path:
    """The folder of the source; a GGUF file is dequantized to float32 into `work`.

    Raises:
        MissingExtra: it is a GGUF file, and what unpacks it is not installed.
        ExportError: transformers cannot unpack it.
    """
    if not source.is_file():
        return source
    _NEEDS.check("unpacking a GGUF file")
    folder = open_source(source, work).folder
    check_folder(folder)
    return folder
