"""A Hugging Face model of the Llama family in the names and parameters of ExecuTorch's own.

ExecuTorch's definition is `executorch/examples/models/llama` (version 1.5); its parameters are the
fields of `ModelArgs` there. Rotary embeddings are left in Hugging Face's order (`use_hf_rope`), so
that no weight is permuted. Pure Python over tensors of any library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from skerry.export.errors import SourceRefused

ARCHITECTURES = frozenset({"llama", "mistral", "qwen2", "qwen3"})

_PLAIN = {
    "model.embed_tokens.weight": "tok_embeddings.weight",
    "model.norm.weight": "norm.weight",
    "lm_head.weight": "output.weight",
}
_IN_LAYER = {
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "self_attn.q_norm": "attention.q_norm_fn",
    "self_attn.k_norm": "attention.k_norm_fn",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.down_proj": "feed_forward.w2",
    "mlp.up_proj": "feed_forward.w3",
}
_LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")


def model_args(config: Mapping[str, Any]) -> dict[str, Any]:
    """ExecuTorch's parameters of a model with this config.json.

    Raises:
        SourceRefused: it has a part that ExecuTorch's definition lacks.
    """
    _check(config)
    qwen3 = config["model_type"] == "qwen3"
    try:
        return {
            "dim": config["hidden_size"],
            "n_layers": config["num_hidden_layers"],
            "n_heads": config["num_attention_heads"],
            "n_kv_heads": config.get("num_key_value_heads") or config["num_attention_heads"],
            "head_dim": config.get("head_dim")
            or config["hidden_size"] // config["num_attention_heads"],
            "hidden_dim": config["intermediate_size"],
            "vocab_size": config["vocab_size"],
            "norm_eps": config["rms_norm_eps"],
            "rope_theta": _rope(config).get("rope_theta", config.get("rope_theta", 10000.0)),
            "use_hf_rope": True,
            "attention_qkv_bias": config["model_type"] == "qwen2",
            "use_qk_norm": qwen3,
            "qk_norm_before_rope": qwen3,
        }
    except KeyError as error:
        raise _refused(f"has no {error} in its config.json") from error


def meta_names(weights: Mapping[str, Any]) -> dict[str, Any]:
    """The same weights by ExecuTorch's names; a tied head is named twice.

    Raises:
        SourceRefused: there is a weight that no part of the definition takes.
    """
    named = dict(_renamed(weights))
    named.setdefault("output.weight", named.get("tok_embeddings.weight"))
    return named


def _renamed(weights: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, values in weights.items():
        found = _LAYER.fullmatch(name)
        if name in _PLAIN:
            yield _PLAIN[name], values
        elif found and found[2] in _IN_LAYER:
            yield f"layers.{found[1]}.{_IN_LAYER[found[2]]}.{found[3]}", values
        else:
            raise _refused(f"has the weight '{name}', which has no place there")


def _rope(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """transformers 5 keeps it under `rope_parameters`, earlier ones under `rope_scaling`."""
    return config.get("rope_parameters") or config.get("rope_scaling") or {}


def _check(config: Mapping[str, Any]) -> None:
    rope = _rope(config)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind != "default":
        raise _refused(f"scales its rotary embedding by '{kind}'")
    if config.get("hidden_act", "silu") != "silu":
        raise _refused(f"has the activation '{config['hidden_act']}'")
    if config.get("sliding_window") and config.get("use_sliding_window", True):
        raise _refused("attends to a sliding window")


def _refused(what: str) -> SourceRefused:
    return SourceRefused(f"the model {what}; ExecuTorch's Llama is not that", hint="export to GGUF")
