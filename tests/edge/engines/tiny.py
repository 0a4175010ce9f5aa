"""Writes tiny GGUF files: a model with random weights that decodes thousands of tokens a second,
and LoRA adapters for it. What it says is noise; what the engine does with it is real.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

LAYERS, EMBEDDING, HEADS, KV_HEADS, FEED_FORWARD, CONTEXT = 2, 64, 4, 2, 128, 1024
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = ("t h", "th e", "i n", "a n", "Ġ a", "Ġ t")
SPREAD = 0.4


def byte_letters() -> list[str]:
    """The 256 letters that stand for bytes in a byte-level vocabulary (GPT-2)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain}
    letters |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


def vocabulary() -> list[str]:
    return [*CONTROL, *byte_letters(), *(merge.replace(" ", "") for merge in MERGES)]


def write_model(path: Path, *, heads: int = HEADS, template: str = "", seed: int = 0) -> Path:
    """A llama of random weights; `heads` 32 makes heads of two values."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_license("apache-2.0")
    writer.add_type("model")
    _add_sizes(writer, heads)
    _add_vocabulary(writer)
    if template:
        writer.add_chat_template(template)
    random = np.random.default_rng(seed)
    for name, shape in shapes(heads).items():
        writer.add_tensor(name, _weights(random, name, shape))
    return _written(writer, path)


def write_lora(path: Path, *, up: float, rank: int = 4, seed: int = 1, **broken: int) -> Path:
    """An adapter of the query projections; `up` 0 changes nothing. `broken` is an other size."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))
    random = np.random.default_rng(seed)
    size = broken.get("embedding", EMBEDDING)
    for layer in range(LAYERS):
        name = f"blk.{layer}.attn_q.weight"
        down = random.normal(size=(rank, size)).astype(np.float32)
        writer.add_tensor(f"{name}.lora_a", down)
        writer.add_tensor(f"{name}.lora_b", np.full((size, rank), up, np.float32))
    return _written(writer, path)


def shapes(heads: int) -> dict[str, tuple[int, ...]]:
    head = EMBEDDING // heads
    kv = head * KV_HEADS
    block = {
        "attn_norm.weight": (EMBEDDING,),
        "attn_q.weight": (EMBEDDING, EMBEDDING),
        "attn_k.weight": (kv, EMBEDDING),
        "attn_v.weight": (kv, EMBEDDING),
        "attn_output.weight": (EMBEDDING, EMBEDDING),
        "ffn_norm.weight": (EMBEDDING,),
        "ffn_gate.weight": (FEED_FORWARD, EMBEDDING),
        "ffn_up.weight": (FEED_FORWARD, EMBEDDING),
        "ffn_down.weight": (EMBEDDING, FEED_FORWARD),
    }
    return {
        "token_embd.weight": (len(vocabulary()), EMBEDDING),
        "output_norm.weight": (EMBEDDING,),
        "output.weight": (len(vocabulary()), EMBEDDING),
        **{f"blk.{n}.{name}": shape for n in range(LAYERS) for name, shape in block.items()},
    }


def _weights(
    random: np.random.Generator, name: str, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    if "norm" in name:
        return np.ones(shape, np.float32)
    return random.normal(scale=SPREAD, size=shape).astype(np.float32)


def _add_sizes(writer: gguf.GGUFWriter, heads: int) -> None:
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(EMBEDDING)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(heads)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(EMBEDDING // heads)
    writer.add_file_type(0)


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    tokens = vocabulary()
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([control if token in CONTROL else normal for token in tokens])
    writer.add_token_merges(list(MERGES))
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)


def _written(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
