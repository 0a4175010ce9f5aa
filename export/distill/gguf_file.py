"""Reads a Llama out of a GGUF file, and writes one that has the same tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize

from skerry.bundles.gguf.draft_tokens import DraftTokens, draft_tokens
from skerry.export.distill.errors import DistillError
from skerry.export.distill.llama import Llama, Shape, four_bits

BITS4 = GGMLQuantizationType.Q4_0
_EMBEDDING = "token_embd.weight"
_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_SCORES, _MERGES = "tokenizer.ggml.scores", "tokenizer.ggml.merges"
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


def tokens_of(path: Path) -> DraftTokens | None:
    """The token maps of a draft model; None: it has its teacher's tokens."""
    made = reader(path)
    facts = {key: field.contents() for key, field in made.fields.items() if "draft" in key}
    return draft_tokens(facts, len(fact(made, _TOKENS)))


def vocabulary_of(path: Path) -> tuple[list[str], list[int]]:
    """The texts and GGUF types of a model's tokens."""
    made = reader(path)
    return fact(made, _TOKENS), fact(made, _TYPES)


def student_of(teacher: Llama, layers: tuple[int, ...], tokens: DraftTokens) -> Llama:
    """A Llama of some of a teacher's layers and tokens, with its embedding as four bits can hold
    it."""
    embedding = four_bits(teacher.embedding[torch.from_numpy(tokens.said).long()])
    shape = replace(teacher.shape, layers=len(layers), vocabulary=len(embedding))
    student = Llama(shape, embedding)
    for mine, its in zip(student.blk, layers, strict=True):
        mine.load_state_dict(teacher.blk[its].state_dict())
    student.output_norm.load_state_dict(teacher.output_norm.state_dict())
    return student


def save(
    student: Llama, teacher: Path, out: Path, tokens: DraftTokens | None = None, *, name: str
) -> None:
    """Writes the student in Q4_0, with its teacher's chat template and those of its tokens that
    the student has (None: all of them), and what it reads the others as. Atomic."""
    source, partial = reader(teacher), out.with_suffix(".partial")
    writer = GGUFWriter(str(partial), "llama")
    names = {"general.name": name, "general.basename": name}
    vocabulary = {} if tokens is None else _vocabulary(source, tokens)
    _copy_facts(source, writer, {**names, **_sizes(student), **vocabulary})
    for key, text in ({} if tokens is None else tokens.facts()).items():
        writer.add_string(key, text)
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
        "llama.vocab_size": shape.vocabulary,
    }


def _vocabulary(source: GGUFReader, tokens: DraftTokens) -> dict[str, Sequence[Any]]:
    """What a GGUF file says of the tokens that are left, by its key."""
    texts: list[str] = fact(source, _TOKENS)
    said = tokens.said.tolist()
    kept = {texts[token] for token in said}
    merges = [
        merge
        for merge in fact(source, _MERGES)
        if kept.issuperset((*merge.split(" "), merge.replace(" ", "")))
    ]
    lists = {key: fact(source, key) for key in (_TOKENS, _TYPES, _SCORES) if key in source.fields}
    cut = {key: [items[token] for token in said] for key, items in lists.items()}
    return {**cut, _MERGES: merges}


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
