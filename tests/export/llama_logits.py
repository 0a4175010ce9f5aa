"""What llama.cpp computes with a model, with or without an adapter."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np

from skerry.cloud.engines.llama.native import Context, Model
from skerry.export.adapters.tensors import Floats


def llama_logits(
    model: Path, ids: Sequence[int], adapter: Path | None = None, *, scale: float = 1.0
) -> Floats:
    """Scores after each of `ids`: (len(ids), vocabulary)."""
    loaded = Model(model)
    context = Context(loaded, tokens=256, sequences=1, batch=256, threads=1)
    try:
        if adapter is not None:
            apply(loaded, context, adapter, scale)
        at = [context.batch.add(one, place, (0,), logits=True) for place, one in enumerate(ids)]
        context.decode()
        return np.stack([context.logits(index).copy() for index in at])
    finally:
        context.close()
        loaded.close()


def apply(loaded: Model, context: Context, adapter: Path, scale: float) -> None:
    handle = llama_cpp.llama_adapter_lora_init(loaded.handle, str(adapter).encode())
    assert handle, "llama.cpp does not load the adapter"
    handles = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(handle)
    scales = (ctypes.c_float * 1)(scale)
    assert llama_cpp.llama_set_adapters_lora(context._handle, handles, 1, scales) == 0
