"""Runs a GGUF model for measurement: the scores after every token of a text, not only the last.

A thin layer over llama.cpp's C functions, on one thread at a time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.edge.engines.llama.loader import usable_cores
from skerry.edge.engines.llama.openmp import wait_briefly
from skerry.edge.errors import EdgeError
from skerry.export.errors import OutputFailed, SourceRefused
from skerry.export.exporter import Logits
from skerry.export.gguf.opened import open_gguf

BATCH_TOKENS = 256
_ROUNDING = 256  # llama.cpp rounds contexts up to this anyway


class LoadedGguf:
    """A `LoadedLlm`.

    Args:
        observer: a callback of ggml's scheduler that sees every tensor as it is computed.

    Raises:
        OutputFailed: the file is damaged, or no model that llama.cpp knows.
    """

    def __init__(self, path: Path, *, threads: int = 0, observer: Any = None) -> None:
        try:
            open_gguf(path)
        except SourceRefused as error:
            raise OutputFailed(error.what, hint=error.hint) from error
        wait_briefly()
        from skerry.edge.engines.llama.native import NativeModel

        try:
            self._model = NativeModel(path, gpu_layers=0)
        except EdgeError as error:
            raise OutputFailed(error.what, hint=error.hint) from error
        self._threads = threads or usable_cores()
        self._observer = observer
        self._context: int | None = None
        self._room = 0

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        import llama_cpp

        count: int = llama_cpp.llama_vocab_n_tokens(self._model.vocab)
        return count

    def tokenize(self, text: str) -> list[int]:
        """Without a first token of the model's own; names of control tokens are those tokens."""
        from skerry.export.gguf.vocab import tokenize

        return tokenize(self._model.vocab, text)

    def logits(self, ids: Sequence[int]) -> Logits:
        """See `LoadedLlm.logits`.

        Raises:
            ValueError: an id is no token of the model.
            OutputFailed: llama.cpp cannot run it, or there is not enough memory.
        """
        tokens = np.asarray(ids, np.int32)
        if len(tokens) and not 0 <= tokens.min() <= tokens.max() < self.vocabulary:
            raise ValueError(f"an id is no token of a model that has {self.vocabulary}")
        self._prepare(len(tokens))
        result = np.empty((len(tokens), self.vocabulary), np.float32)
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = tokens[start : start + BATCH_TOKENS]
            result[start : start + len(part)] = self._decode(part, start)
        return result

    def close(self) -> None:
        """Frees the memory; a second call does nothing."""
        self._drop_context()
        if self._model.handle:
            self._model.close()

    def _prepare(self, tokens: int) -> None:
        """An empty context with room for `tokens`."""
        import llama_cpp

        if self._context and tokens <= self._room:
            llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
            return
        self._drop_context()
        self._room = max(1, -(-tokens // _ROUNDING)) * _ROUNDING
        self._context = llama_cpp.llama_init_from_model(self._model.handle, self._params())
        if not self._context:
            raise OutputFailed(f"llama.cpp has no memory for {self._room} tokens")

    def _params(self) -> Any:
        import llama_cpp

        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self._room
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.n_threads = params.n_threads_batch = self._threads
        params.no_perf = True
        if self._observer is not None:
            params.cb_eval = self._observer
        return params

    def _decode(self, tokens: NDArray[np.int32], start: int) -> Logits:
        """The logits of one batch, valid until the next; shape (len(tokens), vocabulary)."""
        import llama_cpp

        batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
        try:
            _fill(batch, tokens, start)
            failed = llama_cpp.llama_decode(self._context, batch)
        finally:
            llama_cpp.llama_batch_free(batch)
        if failed:
            raise OutputFailed(f"llama.cpp cannot run the model: error {failed}")
        rows = llama_cpp.llama_get_logits(self._context)
        return np.ctypeslib.as_array(rows, (len(tokens), self.vocabulary))

    def _drop_context(self) -> None:
        import llama_cpp

        if self._context:
            llama_cpp.llama_free(self._context)
        self._context = None


def _fill(batch: Any, tokens: NDArray[np.int32], start: int) -> None:
    count = len(tokens)
    batch.n_tokens = count
    ctypes.memmove(batch.token, tokens.ctypes.data, tokens.nbytes)
    for place in range(count):
        batch.pos[place] = start + place
        batch.n_seq_id[place] = 1
        batch.seq_id[place][0] = 0
        batch.logits[place] = 1
