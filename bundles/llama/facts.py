"""What llama.cpp says of a loaded model, and its chat template as llama.cpp itself applies it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import llama_cpp

from skerry.bundles.llama.native import Model


def weights_bytes(model: Model) -> int:
    """Bytes of all tensors."""
    size: int = llama_cpp.llama_model_size(model.handle)
    return size


def parameters(model: Model) -> int:
    count: int = llama_cpp.llama_model_n_params(model.handle)
    return count


def model_facts(model: Model) -> dict[str, int]:
    """What `skerry.device_profiles.fit.ModelFacts` wants, by its names."""
    handle = model.handle
    heads = llama_cpp.llama_model_n_head(handle)
    width, layers = llama_cpp.llama_model_n_embd(handle), llama_cpp.llama_model_n_layer(handle)
    return {
        "weights_bytes": weights_bytes(model),
        "kv_values": 2 * layers * llama_cpp.llama_model_n_head_kv(handle) * width // heads,
        "embedding": width,
        "feed_forward": _number(model, "feed_forward_length"),
        "vocabulary": llama_cpp.llama_vocab_n_tokens(model.vocab),
        "context_tokens": llama_cpp.llama_model_n_ctx_train(handle),
    }


def chat_template(model: Model) -> str | None:
    """The source of the model's own template; None where it has none."""
    source = llama_cpp.llama_model_chat_template(model.handle, None)
    return None if source is None else source.decode("utf-8", "replace")


def chat_text(model: Model, turns: Sequence[tuple[str, str]]) -> str | None:
    """The text of (role, content) turns, ending where the assistant begins to speak.

    None where the model has no template, or one that llama.cpp does not know by itself.
    """
    template = llama_cpp.llama_model_chat_template(model.handle, None)
    if template is None:
        return None
    messages = (llama_cpp.llama_chat_message * len(turns))(
        *(llama_cpp.llama_chat_message(role.encode(), said.encode()) for role, said in turns)
    )
    room = 2 * sum(len(said.encode()) for _, said in turns) + 1024
    buffer = ctypes.create_string_buffer(room)
    size = llama_cpp.llama_chat_apply_template(template, messages, len(turns), True, buffer, room)
    return buffer.raw[:size].decode("utf-8") if 0 < size <= room else None


def _number(model: Model, key: str) -> int:
    """A number of the model's architecture, from its metadata; 0 for none."""
    buffer = ctypes.create_string_buffer(128)
    said: list[str] = []
    for name in ("general.architecture", "{}." + key):
        full = name.format(*said).encode()
        if llama_cpp.llama_model_meta_val_str(model.handle, full, buffer, 128) < 0:
            return 0
        said.append(buffer.value.decode("utf-8", "replace"))
    return int(said[1]) if said[1].isdecimal() else 0
