"""Tiny models in Hugging Face's layout, made by hand: config, weights, tokenizer, answers.

`forward` is the models' definition in numpy, as transformers computes them: llama.cpp must agree.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from skerry.export.gguf.token_texts import TEXTS

Weights = dict[str, NDArray[np.float32]]

HIDDEN, INNER, HEADS, KV_HEADS, LAYERS = 64, 96, 4, 2, 2
HEAD = HIDDEN // HEADS
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
QWEN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def save_safetensors(path: Path, tensors: dict[str, tuple[str, NDArray[Any]]]) -> None:
    """Writes the format by hand; BF16 is given as uint16."""
    header, at = {}, 0
    for name, (dtype, values) in tensors.items():
        offsets = [at, at + values.nbytes]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": offsets}
        at += values.nbytes
    text = json.dumps(header).encode()
    data = b"".join(values.tobytes() for _, values in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def as_dtype(values: NDArray[np.float32], dtype: str) -> tuple[str, NDArray[Any]]:
    if dtype == "BF16":
        return dtype, (values.view(np.uint32) >> 16).astype(np.uint16)
    return dtype, values.astype({"F32": np.float32, "F16": np.float16}[dtype])


def splitter(pre: str) -> Any:
    """The steps of a tokenizer.json that llama.cpp calls `pre`."""
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    after = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    expression = {"qwen2": QWEN, "llama-bpe": LLAMA3}.get(pre)
    if expression:
        split = pre_tokenizers.Split(Regex(expression), "isolated")
        return pre_tokenizers.Sequence([split, after])
    if pre == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), plain])
    return plain


def byte_level(pre: str = "smollm", *, nfc: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=pre == "llama-bpe"))
    tokenizer.pre_tokenizer = splitter(pre)
    tokenizer.decoder = decoders.ByteLevel()
    if nfc:
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=list(CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return tokenizer


def sentencepiece() -> Tokenizer:
    """BPE that falls back to bytes, with blanks as ▁: as the tokenizers of Llama 2 and Mistral."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
    ])  # fmt: skip
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        limit_alphabet=120,
        show_progress=False,
    )
    words = (word for text in TEXTS for word in text.split())
    tokenizer.train_from_iterator(words, trainer)
    raw = json.loads(tokenizer.to_str())
    raw["added_tokens"] = raw["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(raw))


def config(architecture: str = "LlamaForCausalLM", **changes: Any) -> dict[str, Any]:
    said = {
        "architectures": [architecture],
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "num_hidden_layers": LAYERS,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    }
    return said | changes


def weights(said: dict[str, Any], vocabulary: int, seed: int = 0) -> Weights:
    """Random, of the size that keeps activations near one; norms and biases not trivial."""
    rng = np.random.default_rng(seed)

    def matrix(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) / math.sqrt(shape[-1])).astype(np.float32)

    def norm(size: int) -> NDArray[np.float32]:
        return (1 + rng.standard_normal(size) / 5).astype(np.float32)

    architecture = said["architectures"][0]
    made = {"model.embed_tokens.weight": matrix(vocabulary, HIDDEN) * np.float32(4)}
    if not said["tie_word_embeddings"]:
        made["lm_head.weight"] = matrix(vocabulary, HIDDEN) * np.float32(4)
    made["model.norm.weight"] = norm(HIDDEN)
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        made[f"{at}input_layernorm.weight"] = norm(HIDDEN)
        made[f"{at}post_attention_layernorm.weight"] = norm(HIDDEN)
        for letter, heads in (("q", HEADS), ("k", KV_HEADS), ("v", KV_HEADS)):
            made[f"{at}self_attn.{letter}_proj.weight"] = matrix(heads * HEAD, HIDDEN)
            if architecture == "Qwen2ForCausalLM":
                made[f"{at}self_attn.{letter}_proj.bias"] = norm(heads * HEAD) / 4
        if architecture == "Qwen3ForCausalLM":
            made[f"{at}self_attn.q_norm.weight"] = norm(HEAD)
            made[f"{at}self_attn.k_norm.weight"] = norm(HEAD)
        made[f"{at}self_attn.o_proj.weight"] = matrix(HIDDEN, HEADS * HEAD)
        made[f"{at}mlp.gate_proj.weight"] = matrix(INNER, HIDDEN)
        made[f"{at}mlp.up_proj.weight"] = matrix(INNER, HIDDEN)
        made[f"{at}mlp.down_proj.weight"] = matrix(HIDDEN, INNER)
    return made


def save_model(
    folder: Path,
    said: dict[str, Any] | None = None,
    *,
    tokenizer: Tokenizer | None = None,
    dtype: str = "F32",
    seed: int = 0,
    changed: Weights | None = None,
) -> Weights:
    """A whole model folder; gives its weights. `changed` replaces some of them."""
    folder.mkdir(parents=True)
    tokenizer = tokenizer or byte_level()
    tokenizer.save(str(folder / "tokenizer.json"))
    said = {"vocab_size": tokenizer.get_vocab_size() + 3, **(said or config())}
    (folder / "config.json").write_text(json.dumps(said))
    ends = {"eos_token": "<|im_end|>", "bos_token": {"content": "<|im_start|>"}}
    (folder / "tokenizer_config.json").write_text(json.dumps({**ends, "chat_template": "{{ x }}"}))
    made = weights(said, said["vocab_size"], seed) | (changed or {})
    stored = {name: as_dtype(values, dtype) for name, values in made.items()}
    save_safetensors(folder / "model.safetensors", stored)
    return made


def forward(said: dict[str, Any], model: Weights, ids: list[int]) -> NDArray[np.float64]:
    """Logits of shape (len(ids), vocabulary)."""
    made = {name: values.astype(np.float64) for name, values in model.items()}
    x = made["model.embed_tokens.weight"][ids]
    for layer in range(LAYERS):
        part = {
            name.removeprefix(f"model.layers.{layer}."): values for name, values in made.items()
        }
        x = x + _attention(said, part, _norm(x, part["input_layernorm.weight"]))
        y = _norm(x, part["post_attention_layernorm.weight"])
        gate = y @ part["mlp.gate_proj.weight"].T
        up = y @ part["mlp.up_proj.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * up) @ part["mlp.down_proj.weight"].T
    head = made.get("lm_head.weight", made["model.embed_tokens.weight"])
    return _norm(x, made["model.norm.weight"]) @ head.T


def _norm(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight


def _attention(said: dict[str, Any], part: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    def heads(letter: str, count: int) -> NDArray[np.float64]:
        made = x @ part[f"self_attn.{letter}_proj.weight"].T
        made = made + part.get(f"self_attn.{letter}_proj.bias", 0)
        made = made.reshape(len(x), count, HEAD)
        weight = part.get(f"self_attn.{letter}_norm.weight")
        return made if weight is None else _norm(made, weight)

    q, k = (_turned(said, heads(one, n)) for one, n in (("q", HEADS), ("k", KV_HEADS)))
    k, v = (np.repeat(one, HEADS // KV_HEADS, axis=1) for one in (k, heads("v", KV_HEADS)))
    scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(HEAD)
    scores += np.triu(np.full((len(x), len(x)), -np.inf), 1)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    mixed = np.einsum("hqk,khd->qhd", shares, v).reshape(len(x), -1)
    return mixed @ part["self_attn.o_proj.weight"].T


def _turned(said: dict[str, Any], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """RoPE on the two halves of each head, as transformers does it."""
    angles = np.arange(len(x))[:, None] * frequencies(said)[None]
    sines, cosines = np.sin(angles)[:, None], np.cos(angles)[:, None]
    left, right = x[..., : HEAD // 2], x[..., HEAD // 2 :]
    return np.concatenate([left * cosines - right * sines, right * cosines + left * sines], axis=-1)


def frequencies(said: dict[str, Any]) -> NDArray[np.float64]:
    """One for each pair of a head; Llama 3's scaling written down a second time, as a loop."""
    facts = said.get("rope_parameters") or {}
    theta = facts.get("rope_theta") or said.get("rope_theta", 10000.0)
    plain = [theta ** (-2 * place / HEAD) for place in range(HEAD // 2)]
    if facts.get("rope_type") == "linear":
        return np.array(plain) / facts["factor"]
    if facts.get("rope_type") != "llama3":
        return np.array(plain)
    made = []
    for frequency in plain:
        turns = facts["original_max_position_embeddings"] * frequency / (2 * math.pi)
        low, high = facts["low_freq_factor"], facts["high_freq_factor"]
        share = min(1.0, max(0.0, (turns - low) / (high - low)))
        made.append((1 - share) * frequency / facts["factor"] + share * frequency)
    return np.array(made)
