"""Puts an adapter into its base: a Hugging Face folder whose matrices are changed.

One tensor is in memory at a time, with its adapter; all others are copied as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from skerry.export.adapters.pairs import Pair, merged
from skerry.export.adapters.peft_folder import Adapter
from skerry.export.adapters.tensors import Floats, Tensors, read_folder, write_tensors
from skerry.export.errors import OutputFailed, SourceRefused, Unsupported
from skerry.export.exporter import Progress, unheard

_COPIED = (
    "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
    "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
    "chat_template.jinja", "README.md", "LICENSE",
)  # fmt: skip


def merge(adapter: Adapter, source: Path, out: Path, *, progress: Progress = unheard) -> None:
    """Writes the folder `out`, which must not exist, from the Hugging Face folder `source`.

    Numbers are added in float32 and stored in the source's type.

    Raises:
        SourceRefused: the source lacks a matrix, or the sum is not finite.
        Unsupported: a matrix that the adapter changes is also another (tied).
        OutputFailed: it exists, or cannot be written.
    """
    if out.exists():
        raise OutputFailed(f"'{out}' exists already", hint="remove it, or give another --out")
    tensors = read_folder(source)
    _check(adapter.pairs, tensors, source)
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        _copy(source, partial)
        layout = {name: (one.dtype, one.shape) for name, one in tensors.stored.items()}
        rows = _rows(adapter.pairs, tensors, progress)
        write_tensors(partial / "model.safetensors", layout, rows, {"format": "pt"})
        partial.rename(out)
    except OSError as error:
        raise OutputFailed(f"'{out}' cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check(pairs: Mapping[str, Pair], tensors: Tensors, source: Path) -> None:
    for module in pairs:
        if module == "lm_head" and "lm_head.weight" not in tensors:
            raise Unsupported(f"the head of '{source}' is its embedding, which would change, too")
        if f"{module}.weight" not in tensors:
            raise SourceRefused(f"'{source}' has no matrix '{module}'")


def _copy(source: Path, out: Path) -> None:
    for name in _COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, out / name)


def _rows(
    pairs: Mapping[str, Pair], tensors: Tensors, progress: Progress
) -> Iterator[tuple[str, Floats | bytes]]:
    for number, name in enumerate(tensors):
        progress("merging", number / len(tensors))
        pair = pairs.get(name.removesuffix(".weight"))
        yield name, tensors.raw(name) if pair is None else _finite(name, tensors[name], pair)
    progress("merging", 1.0)


def _finite(name: str, weight: Floats, pair: Pair) -> Floats:
    try:
        total = merged(weight, pair)
    except ValueError as error:
        raise SourceRefused(f"'{name}' cannot be merged: {error}") from error
    if not np.isfinite(total).all():
        raise SourceRefused(f"'{name}' is not finite with the adapter in it")
    return total
