"""Writes an adapter as the GGUF file that llama.cpp loads beside a model.

What it must say is in llama.cpp's `llama_adapter_lora_init_impl`: general.type, the architecture,
adapter.type, adapter.lora.alpha, and a `.lora_a` and a `.lora_b` for each matrix.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from skerry.export.adapters.base import PERMUTED, Base
from skerry.export.adapters.pairs import Method, Pair, gguf_alpha, permuted
from skerry.export.adapters.peft_folder import Adapter
from skerry.export.adapters.tensors import Floats
from skerry.export.errors import MissingExtra, OutputFailed, Unsupported

Precision = Literal["f32", "f16"]


def write_gguf_adapter(
    adapter: Adapter, base: Base, out: Path, *, precision: Precision = "f32"
) -> None:
    """Writes `out` beside its place, reads it back, and renames it.

    Raises:
        Unsupported: the adapter is not one that llama.cpp can apply at run time.
        OutputFailed: it cannot be written, or float16 cannot hold its numbers.
    """
    _check(adapter)
    arrays, alpha = tensors_of(adapter.pairs, base)
    stored = {name: _stored(name, value, precision) for name, value in arrays.items()}
    partial = out.with_name(f".{out.name}.partial")
    try:
        _write(partial, stored, alpha, adapter, base)
        _check_written(partial, stored)
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        partial.replace(out)
    except OSError as error:
        raise OutputFailed(f"'{out}' cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def tensors_of(pairs: Mapping[str, Pair], base: Base) -> tuple[dict[str, Floats], float]:
    """The tensors of a GGUF adapter by name, and its alpha."""
    alpha = gguf_alpha(pairs)
    arrays = {}
    for module, pair in pairs.items():
        place = base.place(module)
        whole = pair if alpha is not None else _scaled(pair)
        arrays[f"{place}.weight.lora_a"] = whole.a
        arrays[f"{place}.weight.lora_b"] = _in_order(whole.b, place, base)
    return arrays, alpha or 0.0


def _check(adapter: Adapter) -> None:
    if adapter.method is Method.DORA:
        raise Unsupported(
            "llama.cpp cannot apply DoRA at run time: its rows depend on the whole matrix",
            hint="merge it into its base with --merge",
        )


def _scaled(pair: Pair) -> Pair:
    return replace(pair, b=np.float32(pair.scale) * pair.b, scale=1.0)


def _in_order(b: Floats, place: str, base: Base) -> Floats:
    """Queries and keys of a Llama as GGUF stores them."""
    heads = {"attn_q": base.heads, "attn_k": base.kv_heads}.get(place.rsplit(".", 1)[-1])
    if base.architecture != PERMUTED or heads is None:
        return b
    return permuted(b, heads)


def _stored(name: str, value: Floats, precision: Precision) -> np.ndarray[Any, Any]:
    whole = np.ascontiguousarray(value, np.float32)
    if precision == "f32":
        return whole
    with np.errstate(over="ignore"):
        short = whole.astype(np.float16)
    if not np.isfinite(short).all():
        raise OutputFailed(f"float16 cannot hold the numbers of '{name}'", hint="use f32")
    return short


def _write(
    file: Path, stored: Mapping[str, np.ndarray[Any, Any]], alpha: float, adapter: Adapter,
    base: Base,
) -> None:  # fmt: skip
    try:
        from gguf import GGUFWriter
    except ImportError as error:
        raise MissingExtra("gguf is not installed", hint="pip install 'skerry[export]'") from error
    writer = GGUFWriter(str(file), base.architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    writer.add_name(adapter.folder.resolve().name)
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, base.name)
    if licence := adapter.card.get("licence"):
        writer.add_license(str(licence))
    for name, value in stored.items():
        writer.add_tensor(name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _check_written(file: Path, stored: Mapping[str, np.ndarray[Any, Any]]) -> None:
    from gguf import GGUFReader

    read = {tensor.name: tensor.data for tensor in GGUFReader(str(file)).tensors}
    same = read.keys() == stored.keys() and all(
        np.array_equal(read[name], value) for name, value in stored.items()
    )
    if not same:
        raise OutputFailed(f"'{file}' does not hold what was written to it")
