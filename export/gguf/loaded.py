"""Runs a GGUF model for measurement: the scores after every token of a text, not only the last."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from skerry.bundles.llama.cores import usable_cores
from skerry.bundles.llama.errors import LlamaError
from skerry.bundles.llama.openmp import wait_briefly
from skerry.export.errors import OutputFailed, SourceRefused
from skerry.export.exporter import Logits
from skerry.export.gguf.opened import open_gguf

if TYPE_CHECKING:
    from skerry.bundles.llama.context import Context

BATCH_TOKENS = 256
_ROUNDING = 256  # llama.cpp rounds contexts up to this anyway


class LoadedGguf:
    """A `LoadedLlm`. On one thread at a time.

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
        from skerry.bundles.llama.native import Model
        from skerry.bundles.llama.vocab import Vocabulary

        try:
            self._model = Model(path)
        except LlamaError as error:
            raise OutputFailed(error.what, hint=error.hint) from error
        self._vocabulary = Vocabulary(self._model.vocab)
        self._threads = threads or usable_cores()
        self._observer = observer
        self._context: Context | None = None

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self._vocabulary.size

    def tokenize(self, text: str) -> list[int]:
        """Without a first token of the model's own; names of control tokens are those tokens."""
        return self._vocabulary.tokenize(text, special=True)

    def logits(self, ids: Sequence[int]) -> Logits:
        """See `LoadedLlm.logits`.

        Raises:
            ValueError: an id is no token of the model.
            OutputFailed: llama.cpp cannot run it, or there is not enough memory.
        """
        tokens = np.asarray(ids, np.int32)
        if len(tokens) and not 0 <= tokens.min() <= tokens.max() < self.vocabulary:
            raise ValueError(f"an id is no token of a model that has {self.vocabulary}")
        context = self._prepared(len(tokens))
        result = np.empty((len(tokens), self.vocabulary), np.float32)
        for start in range(0, len(tokens), BATCH_TOKENS):
            part = array("i", tokens[start : start + BATCH_TOKENS].tolist())
            result[start : start + len(part)] = _decoded(context, part, start)
        return result

    def close(self) -> None:
        """Frees the memory; a second call does nothing."""
        self._drop_context()
        self._model.close()

    def _prepared(self, tokens: int) -> Context:
        """An empty context with room for `tokens`."""
        from skerry.bundles.llama.context import Context, ContextShape

        if self._context is not None and tokens <= self._context.context_tokens:
            self._context.forget()
            return self._context
        self._drop_context()
        room = max(1, -(-tokens // _ROUNDING)) * _ROUNDING
        shape = ContextShape(room, 1, BATCH_TOKENS, self._threads)
        try:
            self._context = Context(self._model, shape, self._observer)
        except LlamaError as error:
            raise OutputFailed(error.what, hint=error.hint) from error
        return self._context

    def _drop_context(self) -> None:
        if self._context is not None:
            self._context.close()
        self._context = None


def _decoded(context: Context, tokens: array[int], start: int) -> Logits:
    """The logits of one batch, valid until the next; shape (len(tokens), vocabulary)."""
    context.batch.clear()
    context.batch.add(tokens, start, 0, logits=True)
    context.batch.want_all()
    if failed := context.decode():
        raise OutputFailed(f"llama.cpp cannot run the model: error {failed}")
    return context.all_logits()
