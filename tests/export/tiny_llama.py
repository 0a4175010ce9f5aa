"""A Llama of two small layers at random, as a Hugging Face folder and as the same GGUF model.

Its queries and keys have fewer key heads than heads, so that a wrong order of rows shows. It has no
words: its tokens are numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, get_tensor_name_map

from skerry.export.adapters.pairs import permuted
from skerry.export.adapters.tensors import Floats, write_tensors

LAYERS, WIDTH, INNER, HEADS, KV_HEADS, VOCABULARY = 2, 64, 96, 4, 2, 40
HEAD = WIDTH // HEADS
MATRICES = {
    "self_attn.q_proj": (WIDTH, WIDTH),
    "self_attn.k_proj": (KV_HEADS * HEAD, WIDTH),
    "self_attn.v_proj": (KV_HEADS * HEAD, WIDTH),
    "self_attn.o_proj": (WIDTH, WIDTH),
    "mlp.gate_proj": (INNER, WIDTH),
    "mlp.up_proj": (INNER, WIDTH),
    "mlp.down_proj": (WIDTH, INNER),
}
MODULES = [f"model.layers.{layer}.{name}" for layer in range(LAYERS) for name in MATRICES]
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH,
    "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS, "vocab_size": VOCABULARY, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "max_position_embeddings": 128, "tie_word_embeddings": True,
    "hidden_act": "silu", "bos_token_id": 0, "eos_token_id": 0,
}  # fmt: skip


def shape_of(module: str) -> tuple[int, int]:
    return MATRICES[module.split(".", 3)[3]]


def weights(seed: int = 0) -> dict[str, Floats]:
    draw = np.random.default_rng(seed)

    def random(*shape: int) -> Floats:
        return (draw.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    made = {"model.embed_tokens.weight": random(VOCABULARY, WIDTH) * 4}
    made |= {f"{module}.weight": random(*shape_of(module)) for module in MODULES}
    norms = [f"model.layers.{layer}.{name}_layernorm" for layer in range(LAYERS)
             for name in ("input", "post_attention")]  # fmt: skip
    made |= {f"{name}.weight": np.ones(WIDTH, np.float32) for name in (*norms, "model.norm")}
    return made


def write_folder(folder: Path, tensors: Mapping[str, Floats], *, dtype: str = "F32") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    layout = {name: (dtype, value.shape) for name, value in tensors.items()}
    write_tensors(folder / "model.safetensors", layout, tensors.items())
    return folder


def write_gguf(file: Path, tensors: Mapping[str, Floats]) -> Path:
    names = get_tensor_name_map(MODEL_ARCH.LLAMA, LAYERS)
    writer = GGUFWriter(str(file), "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tensors["model.embed_tokens.weight"]))
    writer.add_tokenizer_model("none")
    for name, value in tensors.items():
        heads = {"q_proj": HEADS, "k_proj": KV_HEADS}.get(name.split(".")[-2])
        stored = permuted(value, heads) if heads else value
        writer.add_tensor(f"{names.get_name(name.removesuffix('.weight'))}.weight", stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def lora_tensors(
    rank: int = 4, *, seed: int = 1, modules: list[str] | None = None
) -> dict[str, Floats]:
    """LoRA's matrices by the names that PEFT gives them."""
    draw = np.random.default_rng(seed)
    made: dict[str, Floats] = {}
    for module in modules or MODULES:
        outputs, inputs = shape_of(module)
        place = f"base_model.model.{module}"
        made[f"{place}.lora_A.weight"] = draw.standard_normal((rank, inputs)).astype(np.float32) / 8
        made[f"{place}.lora_B.weight"] = (
            draw.standard_normal((outputs, rank)).astype(np.float32) / 8
        )
    return made


def write_adapter(folder: Path, tensors: Mapping[str, Floats], **config: Any) -> Path:
    folder.mkdir(parents=True)
    facts = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none"} | config
    (folder / "adapter_config.json").write_text(json.dumps(facts), "utf-8")
    layout = {name: ("F32", value.shape) for name, value in tensors.items()}
    write_tensors(folder / "adapter_model.safetensors", layout, tensors.items())
    return folder
