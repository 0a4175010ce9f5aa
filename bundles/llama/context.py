"""A context of llama.cpp: the KV cache of several sequences, and one reusable batch.

Owned by one thread. It knows sequences, positions and logits, nothing of requests.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from skerry.bundles.gguf.ggml import KV_TYPES, TYPES_BY_NAME
from skerry.bundles.llama.errors import LlamaFailed, OptionRefused
from skerry.bundles.llama.native import Adapter, Handle, Model, holding_gil, listening
from skerry.bundles.llama.tokens import TokenArray

_logits_at = holding_gil(
    llama_cpp.llama_get_logits_ith, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32
)
Rows = NDArray[np.float32]
_SMALL_KV = frozenset({"f32", "f16", "bf16"})


@dataclass(frozen=True, slots=True)
class ContextShape:
    """Sizes of a context; `context_tokens` is per sequence."""

    context_tokens: int
    parallel: int
    batch_tokens: int
    threads: int
    kv_type: str = "f16"


class Batch:
    """The tokens of the next decode, in buffers that llama.cpp reads in place."""

    def __init__(self, capacity: int) -> None:
        self._tokens = np.zeros(capacity, np.int32)
        self._positions = np.zeros(capacity, np.int32)
        self._sequences = np.zeros(capacity, np.int32)
        self._logits = np.zeros(capacity, np.int8)
        self._counts = np.ones(capacity, np.int32)
        first = self._sequences.ctypes.data
        self._pointers = np.arange(first, first + 4 * capacity, 4, dtype=np.uintp)
        self.native = llama_cpp.llama_batch(
            n_tokens=0,
            token=_as(self._tokens, ctypes.c_int32),
            embd=None,
            pos=_as(self._positions, ctypes.c_int32),
            n_seq_id=_as(self._counts, ctypes.c_int32),
            seq_id=_as(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=_as(self._logits, ctypes.c_int8),
        )

    @property
    def size(self) -> int:
        """Tokens in the batch."""
        count: int = self.native.n_tokens
        return count

    def clear(self) -> None:
        self.native.n_tokens = 0

    def add(self, tokens: TokenArray, position: int, sequence: int, *, logits: bool) -> int:
        """Adds tokens from `position` on; `logits` wants those of the last. Index of the last.

        `want_all` asks for those of every token that was added.
        """
        start = self.size
        end = start + len(tokens)
        if len(tokens) == 1:  # numpy takes ten times as long over slices of one
            self._tokens[start] = tokens[0]
            self._positions[start] = position
            self._sequences[start] = sequence
        else:
            self._tokens[start:end] = tokens
            self._positions[start:end] = range(position, position + len(tokens))
            self._sequences[start:end] = sequence
            self._logits[start:end] = 0
        self._logits[end - 1] = logits
        self.native.n_tokens = end
        return end - 1

    def want_all(self) -> None:
        """Wants the logits of every token in the batch."""
        self._logits[: self.size] = 1


class Context:
    """Sequences 0 … parallel-1, each with `context_tokens` places.

    Args:
        observer: a callback of ggml's scheduler that sees every tensor as it is computed; it must
            live as long as this.

    Raises:
        OptionRefused: keys and values cannot be kept in `kv_type`.
        LlamaFailed: there is not enough memory.
    """

    def __init__(self, model: Model, shape: ContextShape, observer: Any = None) -> None:
        params = _params(shape)
        if observer is not None:
            params.cb_eval = observer
        with listening() as complaint:
            handle = llama_cpp.llama_init_from_model(model.handle, params)
            if not handle:
                raise _no_context(shape, complaint())
        self.handle: Handle = handle
        self.batch_tokens: int = llama_cpp.llama_n_batch(handle)
        """At most what was asked for: llama.cpp cuts it to the size of a small context."""
        self.batch = Batch(self.batch_tokens)
        self.context_tokens: int = llama_cpp.llama_n_ctx_seq(handle)
        self._vocabulary: int = llama_cpp.llama_vocab_n_tokens(model.vocab)
        self._memory = llama_cpp.llama_get_memory(handle)
        self._rows: dict[int, NDArray[np.float32]] = {}
        self._adapter: str | None = None

    def decode(self) -> int:
        """Runs the batch to its end, without the GIL; 0 or llama.cpp's error number."""
        result: int = llama_cpp.llama_decode(self.handle, self.batch.native)
        llama_cpp.llama_synchronize(self.handle)
        return result

    def all_logits(self) -> Rows:
        """A view of the logits of the whole batch, which were all wanted (`Batch.want_all`), of
        shape (tokens, vocabulary); valid until the next decode."""
        rows = llama_cpp.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(rows, (self.batch.size, self._vocabulary))

    def logits(self, index: int) -> Rows:
        """A view of the logits of batch index `index`, valid until the next decode."""
        address: int = _logits_at(self.handle, index)
        row = self._rows.get(address)
        if row is None:
            if len(self._rows) > 1024:  # llama.cpp moved its buffer many times
                self._rows.clear()
            row = np.ctypeslib.as_array((ctypes.c_float * self._vocabulary).from_address(address))
            self._rows[address] = row
        return row

    def forget(self) -> None:
        """Forgets every sequence."""
        llama_cpp.llama_memory_clear(self._memory, True)

    def keep(self, sequence: int, count: int) -> bool:
        """Forgets all but the first `count` tokens of a sequence.

        False if the model cannot forget a part (recurrent state): then all is forgotten.
        """
        if llama_cpp.llama_memory_seq_rm(self._memory, sequence, count, -1):
            return True
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return False

    def copy(self, source: int, target: int, count: int) -> bool:
        """Makes `target` the first `count` tokens of `source`; False as in `keep`.

        Every sequence has its own stream of memory, so the whole is copied and then cut.
        """
        llama_cpp.llama_memory_seq_rm(self._memory, target, -1, -1)
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        return self.keep(target, count)

    def use_adapter(self, adapter: Adapter | None) -> None:
        """Applies `adapter`, at full scale, to the decodes that follow; raises LlamaFailed."""
        name = adapter.name if adapter else None
        if name == self._adapter:
            return
        handle: Any = adapter.handle if adapter else None
        handles = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(handle)
        scales = (ctypes.c_float * 1)(1.0)
        count = 1 if adapter else 0
        if llama_cpp.llama_set_adapters_lora(self.handle, handles, count, scales):
            raise LlamaFailed(f"the adapter '{name}' cannot be applied", hint="load it again")
        self._adapter = name

    def close(self) -> None:
        """May be called twice."""
        if self.handle:
            llama_cpp.llama_free(self.handle)
        self.handle = 0


def kv_type_number(name: str) -> int:
    """ggml's number of a KV type; OptionRefused for one that llama.cpp cannot use."""
    if name not in KV_TYPES:
        raise OptionRefused(
            f"kv_type '{name}' is not one that keys and values can be kept in",
            hint=f"choose one of {', '.join(KV_TYPES)}",
        )
    return TYPES_BY_NAME[name].number


def _params(shape: ContextShape) -> Any:
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = shape.context_tokens * shape.parallel
    params.n_seq_max = shape.parallel
    params.kv_unified = False
    params.n_batch = params.n_ubatch = shape.batch_tokens
    params.n_threads = params.n_threads_batch = shape.threads
    params.type_k = params.type_v = kv_type_number(shape.kv_type)
    params.no_perf = True
    return params


def _no_context(shape: ContextShape, complaint: str) -> OptionRefused | LlamaFailed:
    if shape.kv_type in _SMALL_KV:
        return LlamaFailed(
            f"no context of {shape.parallel} x {shape.context_tokens} tokens: {complaint}",
            hint="lower context_tokens or parallel; memory may be short",
        )
    return OptionRefused(
        f"this model cannot keep its KV cache as {shape.kv_type}: {complaint}",
        hint="use kv_type f16, or q8_0 on a model with flash attention",
    )


def _as(array: NDArray[Any], kind: Any) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(kind))
