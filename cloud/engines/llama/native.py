"""A model and a context of llama.cpp's, with one memory for many sequences.

Owned by one thread. Sequences share cells, so that the branches of a tree share what they have in
common.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from skerry.cloud.errors import TargetError
from skerry.cloud.hints.choice import Row
from skerry.cloud.hints.vocabulary import digest

MOST_SEQUENCES = 256  # LLAMA_MAX_SEQ (llama.cpp)
_CONTROL = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
_PIECE_BYTES = 256
_WARN, _ERROR = 3, 4  # enum ggml_log_level (ggml.h)

_complaints: deque[str] = deque(maxlen=4)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes prototype
def _on_log(level: int, text: bytes, _data: object) -> None:
    if level in {_WARN, _ERROR}:
        _complaints.append(text.decode("utf-8", "replace").strip())


def _listen() -> None:
    """Hears llama.cpp's complaints instead of having them printed."""
    llama_cpp.llama_log_set(_on_log, ctypes.c_void_p(0))
    _complaints.clear()


class Model:
    """A loaded GGUF model; its tokens alone where `vocabulary_only`.

    Raises:
        TargetError: llama.cpp cannot load it.
    """

    def __init__(self, path: Path, *, gpu_layers: int = 0, vocabulary_only: bool = False) -> None:
        if not path.is_file():
            raise TargetError(f"there is no model {path}", hint="give the path of a GGUF file")
        _listen()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        handle = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise TargetError(
                f"llama.cpp cannot load {path}: {'; '.join(_complaints)}",
                hint="give an undamaged GGUF model",
            )
        self.handle = handle
        self._vocab = llama_cpp.llama_model_get_vocab(handle)
        self.size: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.trained_context: int = llama_cpp.llama_model_n_ctx_train(handle)

    def ends(self) -> frozenset[int]:
        """Tokens that end an answer."""
        every = range(self.size)
        return frozenset(one for one in every if llama_cpp.llama_vocab_is_eog(self._vocab, one))

    def vocabulary(self) -> bytes:
        """The digest of its tokens."""
        every = range(self.size)
        return digest(llama_cpp.llama_vocab_get_text(self._vocab, one) for one in every)

    def tokenized(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of `text`, without those that begin or end a sequence; `special`: control tokens
        in it count as such."""
        data = text.encode()
        found = (llama_cpp.llama_token * (len(data) + 1))()
        room = len(found)
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), found, room, False, special)
        return found[:count]

    def control(self) -> frozenset[str]:
        """The texts of control tokens."""
        every = range(self.size)
        attributes = ((one, llama_cpp.llama_vocab_get_attr(self._vocab, one)) for one in every)
        return frozenset(self.name(one) for one, attribute in attributes if attribute & _CONTROL)

    def name(self, token: int) -> str:
        """The token's own text; empty for one that is not there."""
        if not 0 <= token < self.size:
            return ""
        return str(llama_cpp.llama_vocab_get_text(self._vocab, token), "utf-8", "replace")

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to a text; none for a control token, or one not there."""
        room = _PIECE_BYTES
        while 0 <= token < self.size:
            buffer = ctypes.create_string_buffer(room)
            count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            room = -count
        return b""

    @property
    def begins_with(self) -> int | None:
        """The token that every sequence begins with, if there is one."""
        if not llama_cpp.llama_vocab_get_add_bos(self._vocab):
            return None
        return int(llama_cpp.llama_vocab_bos(self._vocab))

    def chat_template(self) -> tuple[str, str, str]:
        """Its Jinja source, empty for none, and the texts of the tokens that begin and end a
        sequence."""
        source = llama_cpp.llama_model_chat_template(self.handle, None) or b""
        ids = llama_cpp.llama_vocab_bos(self._vocab), llama_cpp.llama_vocab_eos(self._vocab)
        bos, eos = map(self.name, ids)
        return source.decode("utf-8", "replace"), bos, eos

    def close(self) -> None:
        llama_cpp.llama_model_free(self.handle)
        self.handle = 0


class Batch:
    """The tokens of the next decode; each may be in several sequences."""

    def __init__(self, capacity: int, sequences: int) -> None:
        self.capacity = capacity
        self._native = llama_cpp.llama_batch_init(capacity, 0, sequences)

    @property
    def native(self) -> llama_cpp.llama_batch:
        native: llama_cpp.llama_batch = self._native
        return native

    @property
    def room(self) -> int:
        return self.capacity - int(self._native.n_tokens)

    def clear(self) -> None:
        self._native.n_tokens = 0

    def add(self, token: int, position: int, sequences: Sequence[int], *, logits: bool) -> int:
        """The index of the token in the batch."""
        at: int = self._native.n_tokens
        self._native.token[at] = token
        self._native.pos[at] = position
        self._native.n_seq_id[at] = len(sequences)
        for i, sequence in enumerate(sequences):
            self._native.seq_id[at][i] = sequence
        self._native.logits[at] = logits
        self._native.n_tokens = at + 1
        return at

    def close(self) -> None:
        llama_cpp.llama_batch_free(self._native)


class Context:
    """`tokens` cells for `sequences` sequences.

    Raises:
        TargetError: there is not enough memory.
    """

    def __init__(
        self, model: Model, *, tokens: int, sequences: int, batch: int, threads: int
    ) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.kv_unified = tokens, sequences, True
        params.n_batch = params.n_ubatch = batch
        params.n_threads = params.n_threads_batch = threads
        params.no_perf = True
        handle = llama_cpp.llama_init_from_model(model.handle, params)
        if not handle:
            raise TargetError(
                f"llama.cpp has no memory for {tokens} tokens of context",
                hint="give fewer sessions or less context",
            )
        self._handle = handle
        self._vocabulary = model.size
        self._memory = llama_cpp.llama_get_memory(handle)
        self.batch = Batch(batch, sequences)

    def decode(self) -> None:
        """Runs the batch.

        Raises:
            TargetError: llama.cpp failed; its memory is as before.
        """
        error = llama_cpp.llama_decode(self._handle, self.batch.native)
        llama_cpp.llama_synchronize(self._handle)
        if error:
            raise TargetError(f"llama.cpp failed to decode (error {error})")

    def logits(self, index: int) -> Row:
        """A view of the logits [vocabulary] of a batch index, until the next decode."""
        pointer = llama_cpp.llama_get_logits_ith(self._handle, index)
        row: NDArray[np.float32] = np.ctypeslib.as_array(pointer, (self._vocabulary,))
        return row

    def copy(self, source: int, target: int, start: int = -1, end: int = -1) -> None:
        """Makes what `source` has at the positions `start` to `end` part of `target`, too."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, start, end)

    def cut(self, sequence: int, start: int) -> None:
        """Forgets a sequence from position `start` on."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def close(self) -> None:
        self.batch.close()
        llama_cpp.llama_free(self._handle)
        self._handle = ctypes.c_void_p(0)
