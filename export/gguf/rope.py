"""RoPE scaling as GGUF says it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.errors import Unsupported
from skerry.export.gguf.config import Config

FREQUENCIES = "rope_freqs.weight"
_YARN = {"beta_fast": "yarn_beta_fast", "beta_slow": "yarn_beta_slow"}


def facts(config: Config) -> dict[str, Any]:
    """Keys without the architecture's prefix.

    Raises:
        Unsupported: a kind of scaling that llama.cpp does not compute from a file.
    """
    rope = config.rope
    said: dict[str, Any] = {"rope.dimension_count": config.head, "rope.freq_base": rope.theta}
    if rope.kind in {"default", "llama3"}:
        return said
    if rope.kind not in {"linear", "yarn"}:
        raise Unsupported(
            f"the RoPE scaling '{rope.kind}' cannot be written as GGUF here",
            hint="default, linear, yarn and llama3 can",
        )
    said |= {"rope.scaling.type": rope.kind, "rope.scaling.factor": rope.number("factor")}
    return said | (_yarn(config) if rope.kind == "yarn" else {})


def _yarn(config: Config) -> dict[str, Any]:
    rope = config.rope
    for key in ("mscale", "mscale_all_dim", "attention_factor"):
        if rope.facts.get(key) is not None:
            raise Unsupported(f"YaRN with {key} cannot be written as GGUF here")
    known = {to: rope.number(key) for key, to in _YARN.items() if rope.facts.get(key) is not None}
    original = int(rope.number("original_max_position_embeddings", config.context))
    said = {f"rope.scaling.{key}": value for key, value in known.items()}
    return {"rope.scaling.original_context_length": original, **said}


def frequency_factors(config: Config) -> NDArray[np.float32] | None:
    """Llama 3's scaling: by what each frequency is divided, shape (head / 2,); None for others.

    As `_compute_llama3_parameters` of transformers' modeling_rope_utils.py.
    """
    rope = config.rope
    if rope.kind != "llama3":
        return None
    factor, low = rope.number("factor"), rope.number("low_freq_factor")
    high = rope.number("high_freq_factor")
    original = rope.number("original_max_position_embeddings")
    exponents = np.arange(0, config.head, 2, dtype=np.float64) / config.head
    wavelengths = 2 * math.pi * rope.theta**exponents
    smooth = (original / wavelengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    long = np.where(wavelengths > original / low, factor, between)
    return np.where(wavelengths < original / high, 1.0, long).astype(np.float32)
