"""The model families that can be written as GGUF: names, shapes and order of their tensors.

llama.cpp rotates neighbouring pairs in its architecture `llama`, Hugging Face the two halves of a
head: there the rows of queries and keys change places (`order`). Names are those of gguf-py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import SourceRefused, Unsupported
from skerry.export.gguf.config import Config

RowOrder = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture of llama.cpp.

    Attributes:
        pairs: RoPE turns neighbouring pairs, so queries and keys are reordered.
        biases: queries, keys and values always have a bias.
        head_norms: each head's queries and keys are normalised.
        norm_offset: added to the weights of norms (Gemma stores them around zero).
        activation: what config.json must say.
    """

    name: str
    pairs: bool = False
    biases: bool = False
    head_norms: bool = False
    norm_offset: float = 0.0
    activation: tuple[str, ...] = ("silu",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A tensor of the GGUF file: where it comes from, and what shape it has there."""

    name: str
    source: str
    shape: tuple[int, ...]
    order: RowOrder | None = None
    offset: float = 0.0


_LLAMA = Family("llama", pairs=True)
FAMILIES = {
    "LlamaForCausalLM": _LLAMA,
    "MistralForCausalLM": _LLAMA,
    "SmolLM3ForCausalLM": Family("smollm3", pairs=True),
    "Qwen2ForCausalLM": Family("qwen2", biases=True),
    "Qwen3ForCausalLM": Family("qwen3", head_norms=True),
    "GemmaForCausalLM": Family(
        "gemma", norm_offset=1.0, activation=("gelu_pytorch_tanh", "gelu", "gelu_new")
    ),
}
_SMOLLM3_INTERVAL = 4  # src/models/smollm3.cpp: every fourth layer has no RoPE


def family_of(config: Config) -> Family:
    """The family of a model, if llama.cpp computes what its config says.

    Raises:
        Unsupported: another architecture, or a variant of one that llama.cpp does not compute.
    """
    family = FAMILIES.get(config.architecture)
    if family is None:
        raise Unsupported(
            f"the architecture '{config.architecture}' cannot be written as GGUF here",
            hint=f"these can: {', '.join(FAMILIES)}; or give a GGUF file that another tool made",
        )
    activation = config.raw.get("hidden_activation") or config.raw.get("hidden_act", "silu")
    if activation not in family.activation:
        raise _variant(config, f"hidden_act = {activation!r}")
    _check_variant(config, family)
    return family


def _check_variant(config: Config, family: Family) -> None:
    raw = config.raw
    if raw.get("use_sliding_window"):
        raise _variant(config, "a sliding window")
    if raw.get("partial_rotary_factor", 1.0) != 1.0:
        raise _variant(config, "RoPE on a part of each head")
    if raw.get("mlp_bias"):
        raise _variant(config, "biases in its feed-forward layers")
    if config.heads % config.kv_heads or config.head % 2:
        raise SourceRefused("config.json has heads that do not divide", hint="check the file")
    interval = raw.get("no_rope_layer_interval", _SMOLLM3_INTERVAL)
    if family.name == "smollm3" and interval != _SMOLLM3_INTERVAL:
        raise _variant(config, f"no_rope_layer_interval = {interval!r}")


def _variant(config: Config, what: str) -> Unsupported:
    return Unsupported(
        f"a {config.architecture} with {what} is not computed so by llama.cpp",
        hint="export it in another format",
    )


def tensors(config: Config, family: Family) -> Iterator[Wanted]:
    """Everything that the GGUF file of this model holds, but for what is computed."""
    hidden, vocabulary, offset = config.hidden, config.vocabulary, family.norm_offset
    yield Wanted("token_embd.weight", "model.embed_tokens.weight", (vocabulary, hidden))
    yield Wanted("output_norm.weight", "model.norm.weight", (hidden,), offset=offset)
    if not config.tied:
        yield Wanted("output.weight", "lm_head.weight", (vocabulary, hidden))
    for layer in range(config.layers):
        yield from _layer(config, family, f"blk.{layer}.", f"model.layers.{layer}.")


def _layer(config: Config, family: Family, to: str, at: str) -> Iterator[Wanted]:
    hidden, inner, offset = config.hidden, config.inner, family.norm_offset
    yield Wanted(f"{to}attn_norm.weight", f"{at}input_layernorm.weight", (hidden,), offset=offset)
    yield from _attention(config, family, to, f"{at}self_attn.")
    yield Wanted(
        f"{to}ffn_norm.weight", f"{at}post_attention_layernorm.weight", (hidden,), offset=offset
    )
    yield Wanted(f"{to}ffn_gate.weight", f"{at}mlp.gate_proj.weight", (inner, hidden))
    yield Wanted(f"{to}ffn_up.weight", f"{at}mlp.up_proj.weight", (inner, hidden))
    yield Wanted(f"{to}ffn_down.weight", f"{at}mlp.down_proj.weight", (hidden, inner))


def _attention(config: Config, family: Family, to: str, at: str) -> Iterator[Wanted]:
    queries, keys = config.heads * config.head, config.kv_heads * config.head
    turned = {
        "q": _pairs(config.heads, config.head) if family.pairs else None,
        "k": _pairs(config.kv_heads, config.head) if family.pairs else None,
        "v": None,
    }
    biased = family.biases or bool(config.raw.get("attention_bias"))
    for letter, rows in (("q", queries), ("k", keys), ("v", keys)):
        order, source = turned[letter], f"{at}{letter}_proj"
        yield Wanted(f"{to}attn_{letter}.weight", f"{source}.weight", (rows, config.hidden), order)
        if biased:
            yield Wanted(f"{to}attn_{letter}.bias", f"{source}.bias", (rows,), order)
    yield Wanted(f"{to}attn_output.weight", f"{at}o_proj.weight", (config.hidden, queries))
    if biased and not family.biases:
        yield Wanted(f"{to}attn_output.bias", f"{at}o_proj.bias", (config.hidden,))
    if family.head_norms:
        yield Wanted(f"{to}attn_q_norm.weight", f"{at}q_norm.weight", (config.head,))
        yield Wanted(f"{to}attn_k_norm.weight", f"{at}k_norm.weight", (config.head,))


def _pairs(heads: int, size: int) -> RowOrder:
    """Which row comes where, so that the halves of each head become neighbouring pairs."""
    rows = np.arange(heads * size).reshape(heads, 2, size // 2)
    return rows.swapaxes(1, 2).reshape(-1)


def ignored(name: str, config: Config) -> bool:
    """Tensors of old checkpoints that hold nothing of the model's."""
    return name.endswith("rotary_emb.inv_freq") or (config.tied and name == "lm_head.weight")
