"""Writes a float GGUF file from a Hugging Face folder, tensor by tensor and slab by slab.

In memory are a slab of rows and what the system keeps of mapped files; never the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import MissingExtra, SourceRefused
from skerry.export.exporter import Progress, unheard
from skerry.export.genai.source import CARD, card_licence
from skerry.export.gguf import rope
from skerry.export.gguf.architectures import Family, Wanted, family_of, ignored, tensors
from skerry.export.gguf.config import Config, read_config
from skerry.export.gguf.extra import INSTALL
from skerry.export.gguf.quantize import flush
from skerry.export.gguf.safetensors import Stored, float_type, floats, open_folder
from skerry.export.gguf.tokenizer import Vocabulary

SLAB_BYTES = 64 << 20
_FILE_TYPES = {"f32": 0, "f16": 1, "bf16": 32}  # llama_ftype (llama.h)
_TYPES = {"f32": 0, "f16": 1, "bf16": 30}  # ggml_type (ggml.h)
_LARGEST_F16 = 65504.0


@dataclass(frozen=True, slots=True)
class HfModel:
    """A model's folder, read and checked; its weights are still in their files."""

    folder: Path
    config: Config
    family: Family
    stored: dict[str, Stored]

    @property
    def float_type(self) -> str:
        """The type that holds all weights exactly."""
        return float_type(self.stored)

    @property
    def notes(self) -> tuple[str, ...]:
        """What llama.cpp computes otherwise than the model was made."""
        window = self.config.raw.get("sliding_window")
        if type(window) is not int or window >= self.config.context:
            return ()
        if self.config.architecture != "MistralForCausalLM":
            return ()
        return (f"llama.cpp attends to all tokens; the model to the last {window}",)

    @property
    def parameters(self) -> int:
        return sum(one.values for one in self.stored.values())


def open_model(folder: Path) -> HfModel:
    """Reads config and tensor tables, and checks every name and shape.

    Raises:
        SourceRefused: a file is missing, damaged or hostile; a tensor is missing, unknown or of
            another shape than config.json says.
        Unsupported: an architecture that cannot be written.
    """
    stored = open_folder(folder)
    config = read_config(folder)
    family = family_of(config)
    wanted = {one.source: one for one in tensors(config, family)}
    rope.facts(config)
    _check_names(set(wanted), {name for name in stored if not ignored(name, config)})
    for name, one in wanted.items():
        if stored[name].shape != one.shape:
            raise SourceRefused(
                f"{name} has the shape {list(stored[name].shape)}; config.json says "
                f"{list(one.shape)}",
                hint="the weights and config.json are of two models",
            )
    return HfModel(folder, config, family, {name: stored[name] for name in wanted})


def _check_names(wanted: set[str], there: set[str]) -> None:
    if missing := sorted(wanted - there):
        hint = "fetch the model's weights again"
        if "lm_head.weight" in missing:
            hint = "config.json says that the head is not the embedding (tie_word_embeddings)"
        raise SourceRefused(f"{_some(missing)} missing from the weights", hint=hint)
    if unknown := sorted(there - wanted):
        raise SourceRefused(
            f"{_some(unknown)} unknown for this architecture",
            hint="the model is a variant that cannot be written as GGUF here",
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more} {'is' if len(names) == 1 else 'are'}"


def convert(
    model: HfModel, vocabulary: Vocabulary, out: Path, kind: str, progress: Progress = unheard
) -> None:
    """Writes `out` with matrices in `kind` ("f32", "f16", "bf16") and vectors in float32.

    Raises:
        SourceRefused: a weight is not a number, or too large for `kind`.
        MissingExtra: the package `gguf` is not installed.
    """
    writer = _writer(out, model.family.name)
    for key, value in _facts(model, kind).items():
        _add(writer, key, value)
    vocabulary.write(writer)
    wanted = list(tensors(model.config, model.family))
    factors = rope.frequency_factors(model.config)
    if factors is not None:
        _declare(writer, rope.FREQUENCIES, factors.shape, "f32")
    for one in wanted:
        _declare(writer, one.name, one.shape, kind)
    _write_head(writer)
    try:
        if factors is not None:
            _write(writer.fout[0], iter([factors]))
        for place, one in enumerate(wanted, 1):
            _write(writer.fout[0], _slabs(one, model.stored[one.source], kind))
            progress("writing GGUF", place / len(wanted))
    finally:
        writer.close()
    flush(out)


def _writer(out: Path, architecture: str) -> Any:
    try:
        from gguf import GGUFWriter
    except ImportError as error:
        raise MissingExtra("writing GGUF needs the package gguf", hint=INSTALL) from error
    return GGUFWriter(str(out), architecture)


def _facts(model: HfModel, kind: str) -> dict[str, Any]:
    """Keys and values in the order in which they are written."""
    config, arch = model.config, model.family.name
    sizes = {
        "block_count": config.layers,
        "context_length": config.context,
        "embedding_length": config.hidden,
        "feed_forward_length": config.inner,
        "attention.head_count": config.heads,
        "attention.head_count_kv": config.kv_heads,
        "attention.key_length": config.head,
        "attention.value_length": config.head,
        "attention.layer_norm_rms_epsilon": config.epsilon,
        "vocab_size": config.vocabulary,
        **rope.facts(config),
    }
    licence = card_licence(model.folder / CARD)
    return {
        "general.type": "model",
        "general.name": model.folder.resolve().name,
        **({"general.license": licence} if licence else {}),
        "general.file_type": _FILE_TYPES[kind],
        **{f"{arch}.{key}": value for key, value in sizes.items()},
    }


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_uint32(key, value)


def _declare(writer: Any, name: str, shape: tuple[int, ...], kind: str) -> None:
    """A row of the tensor table; vectors are float32 whatever the matrices are."""
    from gguf import GGMLQuantizationType

    kind = kind if len(shape) > 1 else "f32"
    size = int(np.prod(shape)) * (4 if kind == "f32" else 2)
    number = GGMLQuantizationType(_TYPES[kind])
    writer.add_tensor_info(name, shape, np.dtype(np.float32), size, raw_dtype=number)


def _write_head(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.write_padding(writer.fout[0], writer.fout[0].tell())


def _write(file: BinaryIO, parts: Iterator[NDArray[Any]]) -> None:
    """One tensor, filled up to the format's alignment."""
    for part in parts:
        part.tofile(file)
    file.write(bytes(-file.tell() % 32))


def _slabs(one: Wanted, stored: Stored, kind: str) -> Iterator[NDArray[Any]]:
    """The tensor's rows in their order, checked, in the type of the file."""
    raw = stored.raw()
    kind = kind if raw.ndim > 1 else "f32"
    width = raw[:1].size or 1
    step = max(1, SLAB_BYTES // (4 * width))
    for start in range(0, len(raw), step):
        rows = slice(start, start + step)
        part = raw[rows] if one.order is None else raw[one.order[rows]]
        yield _narrowed(one.source, floats(part, stored.dtype) + np.float32(one.offset), kind)


def _narrowed(name: str, values: NDArray[np.float32], kind: str) -> NDArray[Any]:
    """Float32 as `kind`; bfloat16 as uint16, rounded to even."""
    if not np.isfinite(values).all():
        raise SourceRefused(
            f"{name} has weights that are no numbers (NaN or infinite)",
            hint="the training or the file is broken; fetch it again or use another checkpoint",
        )
    if kind == "bf16":
        return _bf16(values)
    if kind == "f16":
        if values.size and np.abs(values).max() > _LARGEST_F16:
            raise SourceRefused(f"{name} has weights too large for f16", hint="export as bf16")
        return values.astype(np.float16)
    return values


def _bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    bits = values.view(np.uint32)
    rounded = bits + (np.uint32(0x7FFF) + ((bits >> 16) & 1))
    return (rounded >> 16).astype(np.uint16)
