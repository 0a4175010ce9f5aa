"""Reads a Llama out of a GGUF file, and writes one that has the same tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize

from skerry.export.distill.errors import DistillError
from skerry.export.distill.llama import Llama, Shape, four_bits

BITS4 = GGMLQuantizationType.Q4_0
_EMBEDDING = "token_embd.weight"
_MOSTLY_Q4_0 = 2  # llama_ftype (llama.h)


def reader(path: Path) -> GGUFReader:
    """Raises DistillError: it is not a GGUF file of a Llama with its head tied."""
    try:
        made = GGUFReader(str(path))
        architecture = made.fields["general.architecture"].contents()
    except (OSError, ValueError, LookupError) as error:
        raise DistillError(f"'{path}' is not a GGUF model: {error}") from error
    tensors = {tensor.name for tensor in made.tensors}
    if architecture != "llama" or "output.weight" in tensors or "rope_freqs.weight" in tensors:
        raise DistillError(
            f"'{path}' is no Llama whose head is its embedding",
            hint="distil from such a model: SmolLM2, for one",
        )
    return made


def fact(made: GGUFReader, key: str) -> Any:
    field = made.fields.get(key)
    if field is None:
        raise DistillError(f"the GGUF file does not say '{key}'")
    return field.contents()


def load(path: Path) -> Llama:
    """The whole model in float32.

    Raises:
        DistillError: it is no model that can be distilled.
    """
    made = reader(path)
    tensors = {one.name: one for one in made.tensors}
    embedding = torch.from_numpy(_floats(tensors[_EMBEDDING]))
    shape = Shape(
        layers=fact(made, "llama.block_count"),
        width=fact(made, "llama.embedding_length"),
        heads=fact(made, "llama.attention.head_count"),
        kv_heads=fact(made, "llama.attention.head_count_kv"),
        inner=fact(made, "llama.feed_forward_length"),
        vocabulary=len(embedding),
        epsilon=fact(made, "llama.attention.layer_norm_rms_epsilon"),
        base=fact(made, "llama.rope.freq_base"),
    )
    model = Llama(shape, embedding)
    state = {name: torch.from_numpy(_floats(one)) for name, one in tensors.items()}
    state["embedding"] = state.pop(_EMBEDDING)
    model.load_state_dict(state)
    model.requires_grad_(False)
    return model


def student_of(teacher: Llama, layers: tuple[int, ...]) -> Llama:
    """A Llama of some of a teacher's layers, with its embedding as four bits can hold it."""
    embedding = four_bits(teacher.embedding)
    student = Llama(replace(teacher.shape, layers=len(layers)), embedding)
    for mine, its in zip(student.blk, layers, strict=True):
        mine.load_state_dict(teacher.blk[its].state_dict())
    student.output_norm.load_state_dict(teacher.output_norm.state_dict())
    return student


def save(student: Llama, teacher: Path, out: Path, *, name: str) -> None:
    """Writes the student in Q4_0, with the teacher's tokens and chat template. Atomic."""
    source, partial = reader(teacher), out.with_suffix(".partial")
    writer = GGUFWriter(str(partial), "llama")
    _copy_facts(source, writer, {"general.name": name, "general.basename": name, **_sizes(student)})
    writer.add_file_type(_MOSTLY_Q4_0)
    state = dict(student.state_dict())
    state[_EMBEDDING] = state.pop("embedding")
    for key, value in state.items():
        floats = value.detach().float().cpu().numpy()
        if floats.ndim == 1:
            writer.add_tensor(key, floats)
        else:
            writer.add_tensor(key, quantize(floats, BITS4), raw_dtype=BITS4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(out)


def _sizes(student: Llama) -> dict[str, int]:
    """The facts of a GGUF file that say what a Llama is made of."""
    shape = student.shape
    return {
        "llama.block_count": shape.layers,
        "llama.embedding_length": shape.width,
        "llama.feed_forward_length": shape.inner,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.kv_heads,
        "llama.rope.dimension_count": shape.head,
    }


_LEFT_OUT = frozenset({
    "general.architecture", "general.file_type", "general.quantization_version",
    "general.finetune", "general.organization", "general.size_label",
})  # fmt: skip


def _copy_facts(source: GGUFReader, writer: GGUFWriter, changed: dict[str, Any]) -> None:
    for key, field in source.fields.items():
        if key.startswith("GGUF.") or key in _LEFT_OUT:
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == GGUFValueType.ARRAY else None
        writer.add_key_value(key, changed.get(key, field.contents()), kind, sub_type=inner)


def _floats(tensor: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(dequantize(tensor.data, tensor.tensor_type), np.float32)
