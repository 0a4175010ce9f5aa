"""A GGUF model by llama.cpp, one sequence, as the measurements need it.

Calls the C functions of `llama_cpp` directly: logits of every token of a window, one token after
another, and nothing that a measurement of memory would have to explain.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.exporter import Kind, Logits
from skerry.export.measure.stepping import Row

DEFAULT_CONTEXT = 2048
DEFAULT_BATCH = 256
_PIECE_BYTES = 256
_silent: Any = None


class LlamaLoader:
    """Opens the one GGUF file of a folder."""

    format = Format.GGUF
    kind = Kind.LLM

    def load(self, made: Path) -> LlamaModel:
        """Raises as `gguf_of` and `LlamaModel` do."""
        return LlamaModel(gguf_of(made))


def gguf_of(made: Path) -> Path:
    """The model that is, or lies in, `made`; of several parts the first.

    Raises:
        OutputFailed: there is none, or more than one.
    """
    if made.is_file():
        return made
    found = sorted(made.rglob("*.gguf"))
    first = [path for path in found if "-of-" not in path.stem or "-00001-of-" in path.stem]
    if len(first) != 1:
        raise OutputFailed(f"'{made}' has {len(first)} GGUF models; one is measured at a time")
    return first[0]


class LlamaModel:
    """A model with one sequence of `context_tokens` places, f16 keys and values.

    Raises:
        OutputFailed: llama.cpp cannot load it, or has no memory for its context.
    """

    def __init__(
        self,
        path: Path,
        *,
        context_tokens: int = DEFAULT_CONTEXT,
        batch_tokens: int = DEFAULT_BATCH,
        threads: int = 0,
    ) -> None:
        import llama_cpp

        self._lib: Any = llama_cpp
        _be_silent(llama_cpp)
        self._model = llama_cpp.llama_model_load_from_file(
            str(path).encode(), llama_cpp.llama_model_default_params()
        )
        if not self._model:
            raise OutputFailed(f"llama.cpp cannot load '{path.name}'", hint="is it whole?")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self.vocabulary: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.batch_tokens = min(batch_tokens, context_tokens)
        self._context = self._new_context(context_tokens, threads or usable_threads())
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(self.batch_tokens, 0, 1)
        self._place = 0
        self.context_tokens: int = llama_cpp.llama_n_ctx(self._context)

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        size: int = self._lib.llama_model_size(self._model)
        return size

    @property
    def parameters(self) -> int:
        count: int = self._lib.llama_model_n_params(self._model)
        return count

    def facts(self) -> dict[str, int]:
        """What `ModelFacts` of `device_profiles` wants, by its names."""
        lib, model = self._lib, self._model
        heads = lib.llama_model_n_head(model)
        width, layers = lib.llama_model_n_embd(model), lib.llama_model_n_layer(model)
        return {
            "weights_bytes": self.weights_bytes,
            "kv_values": 2 * layers * lib.llama_model_n_head_kv(model) * width // heads,
            "embedding": width,
            "feed_forward": self._number("feed_forward_length"),
            "vocabulary": self.vocabulary,
            "context_tokens": lib.llama_model_n_ctx_train(model),
        }

    def tokenize(self, text: str) -> list[int]:
        """With control tokens where `text` spells them, and BOS where the model wants it."""
        return self._tokens(text, add_special=True)

    def logits(self, ids: Sequence[int]) -> Logits:
        """See `LoadedLlm`; OutputFailed where `ids` do not fit the context."""
        self._forget(len(ids))
        rows = np.empty((len(ids), self.vocabulary), np.float32)
        for start in range(0, len(ids), self.batch_tokens):
            part = ids[start : start + self.batch_tokens]
            self._decode(part, every=True)
            flat = self._lib.llama_get_logits(self._context)
            got = np.ctypeslib.as_array(flat, (len(part) * self.vocabulary,))
            rows[start : start + len(part)] = got.reshape(len(part), self.vocabulary)
        return rows

    def begin(self, ids: Sequence[int]) -> Row:
        """See `Stepping`; OutputFailed where `ids` do not fit the context."""
        self._forget(len(ids))
        for start in range(0, len(ids), self.batch_tokens):
            self._decode(ids[start : start + self.batch_tokens], every=False)
        return self._last()

    def step(self, token: int) -> Row:
        if self._place >= self.context_tokens:
            raise OutputFailed(f"the context of {self.context_tokens} tokens is full")
        self._decode((token,), every=False)
        return self._last()

    def chat_ids(self, system: str, user: str) -> list[int]:
        """By the model's own template.

        Raises:
            Unsupported: llama.cpp does not know the template.
        """
        template = self._lib.llama_model_chat_template(self._model, None)
        turns = [("system", system), ("user", user)] if system else [("user", user)]
        messages = (self._lib.llama_chat_message * len(turns))(
            *((role.encode(), said.encode()) for role, said in turns)
        )
        room = 2 * sum(len(said.encode()) for _, said in turns) + 1024
        buffer = ctypes.create_string_buffer(room)
        size = self._lib.llama_chat_apply_template(
            template, messages, len(turns), True, buffer, room
        )
        if template is None or not 0 < size <= room:
            raise Unsupported("the model has no chat template that llama.cpp knows by itself")
        return self._tokens(buffer.raw[:size].decode("utf-8"), add_special=True)

    def piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        count = self._lib.llama_token_to_piece(self._vocab, token, buffer, _PIECE_BYTES, 0, False)
        return buffer.raw[: max(0, count)]

    def ends(self, token: int) -> bool:
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def close(self) -> None:
        """May be called twice."""
        if self._model:
            self._lib.llama_batch_free(self._batch)
            self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._model = None

    def _number(self, key: str) -> int:
        """A number of the model's architecture, from its metadata; 0 for none."""
        buffer = ctypes.create_string_buffer(128)
        said: list[str] = []
        for name in ("general.architecture", "{}." + key):
            full = name.format(*said).encode()
            if self._lib.llama_model_meta_val_str(self._model, full, buffer, 128) < 0:
                return 0
            said.append(buffer.value.decode("utf-8", "replace"))
        return int(said[1]) if said[1].isdecimal() else 0

    def _new_context(self, context_tokens: int, threads: int) -> Any:
        wanted = self._lib.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max = context_tokens, 1
        wanted.n_batch = wanted.n_ubatch = self.batch_tokens
        wanted.n_threads = wanted.n_threads_batch = threads
        wanted.no_perf = True
        made = self._lib.llama_init_from_model(self._model, wanted)
        if not made:
            self._lib.llama_model_free(self._model)
            raise OutputFailed(f"llama.cpp has no memory for {context_tokens} tokens of context")
        return made

    def _tokens(self, text: str, *, add_special: bool) -> list[int]:
        data = text.encode("utf-8")
        room = len(data) + 8
        ids = (ctypes.c_int32 * room)()
        count = self._lib.llama_tokenize(self._vocab, data, len(data), ids, room, add_special, True)
        return list(ids[: max(0, count)])

    def _forget(self, wanted: int) -> None:
        if not 0 < wanted <= self.context_tokens:
            raise OutputFailed(f"{wanted} tokens do not fit {self.context_tokens} places")
        self._lib.llama_memory_clear(self._memory, True)
        self._place = 0

    def _decode(self, ids: Sequence[int], *, every: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(ids)
        for index, token in enumerate(ids):
            if not 0 <= token < self.vocabulary:  # llama.cpp ends the process
                raise OutputFailed(f"{token} is no token of this model")
            batch.token[index], batch.pos[index] = token, self._place + index
            batch.n_seq_id[index], batch.seq_id[index][0] = 1, 0
            batch.logits[index] = every or index == len(ids) - 1
        if self._lib.llama_decode(self._context, batch):
            raise OutputFailed("llama.cpp could not decode")
        self._place += len(ids)

    def _last(self) -> Row:
        flat = self._lib.llama_get_logits_ith(self._context, -1)
        row: Row = np.ctypeslib.as_array(flat, (self.vocabulary,))
        return row


def usable_threads() -> int:
    """Physical cores that this process may run on: a second thread on a core slows decoding."""
    import os

    import psutil

    physical = psutil.cpu_count(logical=False) or 1
    if hasattr(os, "sched_getaffinity"):
        return max(1, min(physical, len(os.sched_getaffinity(0))))
    return physical


def _be_silent(lib: Any) -> None:
    """llama.cpp's log goes nowhere; the reference to the callback must live as long as it."""
    global _silent  # noqa: PLW0603
    if _silent is None:
        _silent = lib.llama_log_callback(lambda _level, _text, _data: None)
        lib.llama_log_set(_silent, ctypes.c_void_p(0))
        lib.llama_backend_init()
