"""Pairs of model files for the benchmark of deltas, made from the default model's real weights.

The default model is Q4_1; each weight is moved to a random place of its step first, so that no type
is favoured (`export_source.py` says more). Quantized is by llama.cpp itself. Rows of 576 weights
cannot be in k-quants, so those are measured on all the matrices with rows of 1536.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.container import read_gguf
from skerry.bundles.gguf.ggml import TYPES_BY_NAME

Weights = dict[str, NDArray[np.float32]]
Importance = Mapping[str, NDArray[np.float32]]

FLOATS = ("f16", "bf16")
KINDS = ("q4_0", "q4_K", "q5_K", "q6_K", "q8_0", *FLOATS)
SECOND = "second, a longer name"
_LAYERS = range(0, 30, 4)
_HEADS = {"q": 9, "k": 3}


@dataclass(frozen=True, slots=True)
class Pair:
    """A file that a device has, and what it is to become."""

    case: str
    kind: str
    old: Path
    new: Path


def weights(model: Path, seed: int, *, wide: bool, quick: bool) -> Weights:
    """Matrices [rows, columns] of some layers; `wide`: those of 1536 columns, of all layers."""
    drawn, found = np.random.default_rng(seed), {}
    for one in read_gguf(model).tensors:
        if one.kind.name != "q4_1" or not one.name.startswith("blk."):
            continue
        layer = int(one.name.split(".")[1])
        chosen = one.shape[0] == 1536 if wide else layer in _LAYERS
        if chosen and not (quick and layer > (2 if wide else 0)):
            raw = np.memmap(model, np.uint8, "r", one.offset, (one.values // 32, 20))
            found[one.name] = _dithered(np.asarray(raw), drawn).reshape(one.shape[::-1])
    return found


def _dithered(raw: NDArray[np.uint8], drawn: np.random.Generator) -> NDArray[np.float32]:
    step, low = (raw[:, at : at + 2].copy().view("<f2").astype(np.float32) for at in (0, 2))
    codes = np.concatenate([raw[:, 4:] & 15, raw[:, 4:] >> 4], axis=1).astype(np.float32)
    return codes * step + low + np.abs(step) * drawn.uniform(-0.5, 0.5, codes.shape).astype("f4")


def fine_tuned(before: Weights, seed: int) -> Weights:
    """Each weight moved by a thousandth of its matrix's deviation: a simulated fine-tune."""
    drawn = np.random.default_rng(seed)
    return {
        name: one + drawn.normal(0, 1e-3 * one.std(), one.shape).astype(np.float32)
        for name, one in before.items()
    }


def lora_merged(before: Weights, adapter: Path) -> Weights:
    """Weights with a PEFT adapter (LoRA, as safetensors) merged."""
    config = json.loads((adapter / "adapter_config.json").read_text())
    pairs = _safetensors(adapter / "adapter_model.safetensors")
    scale = config["lora_alpha"] / config["r"]
    made = {}
    for name, one in before.items():
        _, layer, part, _ = name.split(".")
        where = _PEFT[part]
        stem = f"base_model.model.model.layers.{layer}.{where}.lora_"
        down, up = pairs[f"{stem}A.weight"], pairs[f"{stem}B.weight"]
        change = scale * (up @ down)
        if (head := part.removeprefix("attn_")) in _HEADS:
            change = _in_pairs(change, _HEADS[head])
        made[name] = (one + change).astype(np.float32)
    return made


_PEFT = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}  # fmt: skip


def _in_pairs(rows: NDArray[Any], heads: int) -> NDArray[Any]:
    """Rows of queries and keys in llama.cpp's order."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1)
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _safetensors(path: Path) -> dict[str, NDArray[Any]]:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    found = {}
    for name, row in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + at for at in row["data_offsets"])
            kind = {"F32": "<f4", "F16": "<f2"}[row["dtype"]]
            found[name] = np.frombuffer(raw[start:end], kind).reshape(row["shape"]).astype("f4")
    return found


def drawn_importance(before: Weights, seed: int) -> Importance:
    """Importance of columns, drawn: log-normal, as measured ones are."""
    drawn = np.random.default_rng(seed)
    return {
        name: drawn.lognormal(0, 1, one.shape[1]).astype(np.float32) for name, one in before.items()
    }


def write(path: Path, tensors: Weights, kind: str, importance: Importance | None, note: str) -> Path:
    """A GGUF file of `kind` with a name in its metadata; needs the packages gguf and llama_cpp."""
    from gguf import GGMLQuantizationType, GGUFWriter

    writer = GGUFWriter(str(path), "llama")
    writer.add_name(note)
    added = ["<|an added token|>"] if note == SECOND else []
    writer.add_array("tokenizer.ggml.tokens", [*(f"token{n}" for n in range(8192)), *added])
    drawn = np.random.default_rng(3)
    for name, one in tensors.items():
        data = _stored(one, kind, None if importance is None else importance.get(name))
        writer.add_tensor(name, data, raw_dtype=GGMLQuantizationType(TYPES_BY_NAME[kind].number))
        writer.add_tensor(f"{name}.norm", drawn.normal(1, 0.1, one.shape[1]).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _stored(
    one: NDArray[np.float32], kind: str, importance: NDArray[np.float32] | None
) -> NDArray[Any]:
    if kind == "f16":
        return one.astype(np.float16)
    made = np.empty(TYPES_BY_NAME[kind].size_bytes(one.size), np.uint8)
    source = np.ascontiguousarray(one)
    weigh = None if importance is None else np.ascontiguousarray(importance)
    _quantizer()(
        TYPES_BY_NAME[kind].number, source.ctypes.data, made.ctypes.data, 0, *map(int, one.shape),
        None if weigh is None else weigh.ctypes.data,
    )  # fmt: skip
    return made.reshape(one.shape[0], -1)


def _quantizer() -> Callable[..., int]:
    """`ggml_quantize_chunk(type, source, target, start, rows, columns, importance)`."""
    import llama_cpp

    folder = Path(llama_cpp.__file__).parent / "lib"
    library = ctypes.CDLL(str(next(folder.glob("*ggml-base.*"))))
    made: Callable[..., int] = library.ggml_quantize_chunk
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    library.ggml_quantize_chunk.argtypes = (
        ctypes.c_int, pointer, pointer, number, number, number, pointer,
    )  # fmt: skip
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    return made


def pairs(model: Path, folder: Path, *, quick: bool, seed: int, adapter: Path | None) -> Iterator[Pair]:
    """Writes one pair after another into `folder`."""
    for kind in KINDS:
        wide = kind.endswith("_K")
        before = weights(model, seed, wide=wide, quick=quick)
        first, second = (drawn_importance(before, seed + one) for one in (1, 2))
        scaled = None if kind in FLOATS or kind == "q8_0" else first
        old = write(folder / f"{kind}.gguf", before, kind, scaled, "first")
        after = {"fine-tune": fine_tuned(before, seed)}
        if adapter is not None:
            after["lora"] = lora_merged(before, adapter)
        for case, changed in after.items():
            yield Pair(case, kind, old, write(folder / f"{kind}.{case}", changed, kind, scaled, "new"))
        if scaled is not None:
            new = write(folder / f"{kind}.imatrix", before, kind, second, "first")
            yield Pair("importance", kind, old, new)
        if kind == "q4_0":
            new = write(folder / f"{kind}.metadata", before, kind, scaled, SECOND)
            yield Pair("metadata", kind, old, new)
