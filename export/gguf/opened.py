"""Opens a GGUF model for export: its head is checked before llama.cpp sees the file.

The checks are those of the runtime (`skerry.bundles.gguf`): hostile lengths are refused without an
allocation, and so is what would make llama.cpp abort the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.bundles.gguf.container import Gguf, read_gguf
from skerry.bundles.gguf.errors import GgufError
from skerry.bundles.gguf.header import GgufHeader, check_model, read_header
from skerry.export.errors import ExportError, OutputFailed, SourceRefused

_MAGIC = b"GGUF"


@contextmanager
def refusing(kind: type[ExportError]) -> Iterator[None]:
    """Errors of a model file as an export's."""
    try:
        yield
    except GgufError as error:
        raise kind(error.what, hint=error.hint) from error


def is_gguf(path: Path) -> bool:
    """Whether the file `path` begins as a GGUF does; OSError when it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def open_gguf(path: Path) -> GgufHeader:
    """The header of a source.

    Raises:
        SourceRefused: no whole, undamaged language model, or one part of several.
    """
    with refusing(SourceRefused):
        header = read_header(path)
        check_model(header)
    parts = header.metadata.get("split.count", 0)
    if isinstance(parts, int) and parts > 1:
        raise SourceRefused(
            f"{path} is one of {parts} parts of a model",
            hint="join them first with llama.cpp's llama-gguf-split --merge",
        )
    return header


def read_back(path: Path) -> Gguf:
    """The tensor table of what was written; OutputFailed when it is not whole."""
    with refusing(OutputFailed):
        return read_gguf(path)
