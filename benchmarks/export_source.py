"""The default model as the sources of exports: a float GGUF file, and a Hugging Face folder.

The default model is Q4_1: its weights lie on grids of sixteen steps, which Q4_1 alone meets. So
that no type is favoured, `dithered` moves each weight by a random part of its step, as if Q4_1
had been rounded from there.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.gguf.architectures import FAMILIES, tensors
from skerry.export.gguf.config import read_config
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.opened import read_back

_BLOCK, _BLOCK_BYTES = 32, 20  # of Q4_1: scale and offset as f16, then sixteen bytes of codes


def floats(model: Path, folder: Path) -> Path:
    """The model as F16, exactly."""
    return GgufExporter().export(model, "f16", folder).folder / FILE


def dithered(model: Path, folder: Path, seed: int) -> Path:
    """The model as F16, each weight anywhere in the step that it was rounded to."""
    made, rng = floats(model, folder), np.random.default_rng(seed)
    coarse = {one.name: one for one in read_back(model).tensors if one.kind.name == "q4_1"}
    for one in read_back(made).tensors:
        if one.name not in coarse:
            continue
        stored = coarse[one.name]
        blocks = stored.size_bytes // _BLOCK_BYTES
        raw = np.memmap(model, np.uint8, "r", stored.offset, (blocks, _BLOCK_BYTES))
        steps = np.abs(raw[:, :2].copy().view("<f2").astype(np.float32))
        weights = np.memmap(made, "<f2", "r+", one.offset, (blocks, _BLOCK))
        weights += (steps * rng.uniform(-0.5, 0.5, weights.shape)).astype(np.float16)
        weights.flush()
    return made


def hugging_face(gguf: Path, folder: Path) -> Path:
    """A folder with the config, weights (F16) and tokenizer of a GGUF file in F16 of a Llama."""
    from gguf import GGUFReader

    folder.mkdir()
    fields = GGUFReader(str(gguf)).fields
    facts = {key: field.contents() for key, field in fields.items()}
    (folder / "config.json").write_text(json.dumps(_config(facts)))
    _write_tokenizer(facts, folder)
    _write_weights(gguf, folder)
    return folder


def _config(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": facts["llama.embedding_length"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_attention_heads": facts["llama.attention.head_count"],
        "num_key_value_heads": facts["llama.attention.head_count_kv"],
        "num_hidden_layers": facts["llama.block_count"],
        "max_position_embeddings": facts["llama.context_length"],
        "rms_norm_eps": facts["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": facts["llama.rope.freq_base"],
        "vocab_size": len(facts["tokenizer.ggml.tokens"]),
        "tie_word_embeddings": True,
    }


def _write_tokenizer(facts: dict[str, Any], folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, types = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
    merges = [tuple(merge.split(" ", 1)) for merge in facts["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, types, strict=True) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in control])
    tokenizer.save(str(folder / "tokenizer.json"))


def _write_weights(gguf: Path, folder: Path) -> None:
    """The tensors under their other names, with the rows of queries and keys put back."""
    stored = {one.name: one for one in read_back(gguf).tensors}
    config = read_config(folder)
    header: dict[str, Any] = {}
    parts: list[NDArray[Any]] = []
    at = 0
    for wanted in tensors(config, FAMILIES[config.architecture]):
        one = stored[wanted.name]
        kind = {"f16": "<f2", "f32": "<f4"}[one.kind.name]
        values: NDArray[Any] = np.memmap(gguf, kind, "r", one.offset, one.shape[::-1])
        if wanted.order is not None:
            values = values[np.argsort(wanted.order)]
        header[wanted.source] = {
            "dtype": one.kind.name.upper(),
            "shape": list(values.shape),
            "data_offsets": [at, at + values.nbytes],
        }
        at += values.nbytes
        parts.append(values)
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in parts:
            file.write(values.tobytes())
