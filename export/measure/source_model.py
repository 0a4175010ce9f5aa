"""Opens the source that variants are compared with: a GGUF file, or a Hugging Face folder.

A folder runs in torch with its safetensors in float32; pickles are never opened.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from skerry.export.errors import SourceRefused
from skerry.export.exporter import Kind, Loaded

_COUNTED = (".safetensors", ".json", ".gguf", ".model", ".txt")


def load_source(source: Path, kind: Kind) -> Loaded:
    """The source, ready to run.

    Raises:
        SourceRefused: it is neither a GGUF file nor a folder with safetensors, or cannot be run.
        MissingExtra: a folder needs torch and transformers.
    """
    if source.is_file() and source.suffix == ".gguf" and kind is Kind.LLM:
        from skerry.export.measure.llama import LlamaModel

        return LlamaModel(source)
    if not source.is_dir() or not any(source.glob("*.safetensors")):
        raise SourceRefused(
            f"'{source}' is no GGUF file and no folder with safetensors",
            hint="name the model that the variants were made from",
        )
    return _in_torch(source, kind)


def _in_torch(source: Path, kind: Kind) -> Loaded:
    from skerry.export.formats.reference import open_reference

    try:
        with tempfile.TemporaryDirectory(prefix="skerry-source-") as work:
            return open_reference(source, kind, Path(work))
    except (ValueError, OSError, KeyError) as error:
        what = f"transformers cannot run '{source}': {error}"
        raise SourceRefused(what, hint="give a folder that transformers loads") from error


def source_digest(source: Path) -> str:
    """SHA-256 over the names and bytes of what a source is made of.

    Raises:
        SourceRefused: there is nothing to read.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*")) if source.is_dir() else []
    counted = [path for path in files if path.is_file() and path.suffix in _COUNTED]
    if not counted:
        raise SourceRefused(f"there is no model at '{source}'", hint="check the path")
    total = hashlib.sha256()
    for path in counted:
        with path.open("rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()
