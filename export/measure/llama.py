"""A GGUF model by llama.cpp, one sequence, as the measurements need it.

Logits of every token of a window, one token after another, and nothing that a measurement of memory
would have to explain.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skerry.bundles.llama.cores import usable_cores
from skerry.bundles.llama.errors import LlamaError
from skerry.device_profiles.profile import Format
from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.exporter import Kind, Logits
from skerry.export.measure.stepping import Row

DEFAULT_CONTEXT = 2048
DEFAULT_BATCH = 256


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
    """A model, of which one sequence of `context_tokens` places is used.

    Args:
        path: the GGUF file.
        parallel: sequences that have places; all but the first stay empty.
        kv_type: ggml's type of keys and values.

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
        parallel: int = 1,
        kv_type: str = "f16",
    ) -> None:
        from skerry.bundles.llama.context import Context, ContextShape
        from skerry.bundles.llama.native import Model
        from skerry.bundles.llama.vocab import Vocabulary

        batch = min(batch_tokens, context_tokens)
        shape = ContextShape(context_tokens, parallel, batch, threads or usable_cores(), kv_type)
        try:
            self._model = Model(path)
            self._context = Context(self._model, shape)
        except LlamaError as error:
            raise OutputFailed(error.what, hint=error.hint) from error
        self._vocabulary = Vocabulary(self._model.vocab)
        self.batch_tokens = self._context.batch_tokens
        self._place = 0

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return self._vocabulary.size

    @property
    def context_tokens(self) -> int:
        return self._context.context_tokens

    @property
    def weights_bytes(self) -> int:
        """Bytes of all tensors."""
        from skerry.bundles.llama import facts

        return facts.weights_bytes(self._model)

    @property
    def parameters(self) -> int:
        from skerry.bundles.llama import facts

        return facts.parameters(self._model)

    def facts(self) -> dict[str, int]:
        """What `ModelFacts` of `device_profiles` wants, by its names."""
        from skerry.bundles.llama import facts

        return facts.model_facts(self._model)

    def tokenize(self, text: str) -> list[int]:
        """With control tokens where `text` spells them, and BOS where the model wants it."""
        return self._vocabulary.tokenize(text, special=True, first=True)

    def logits(self, ids: Sequence[int]) -> Logits:
        """See `LoadedLlm`; OutputFailed where `ids` do not fit the context."""
        self._forget(len(ids))
        rows = np.empty((len(ids), self.vocabulary), np.float32)
        for start in range(0, len(ids), self.batch_tokens):
            part = ids[start : start + self.batch_tokens]
            self._decode(part, every=True)
            rows[start : start + len(part)] = self._context.all_logits()
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
        from skerry.bundles.llama import facts

        turns = [("system", system), ("user", user)] if system else [("user", user)]
        text = facts.chat_text(self._model, turns)
        if text is None:
            raise Unsupported("the model has no chat template that llama.cpp knows by itself")
        return self.tokenize(text)

    def piece(self, token: int) -> bytes:
        return self._vocabulary.piece(token)

    def ends(self, token: int) -> bool:
        return token in self._vocabulary.ends

    def close(self) -> None:
        """May be called twice."""
        self._context.close()
        self._model.close()

    def _forget(self, wanted: int) -> None:
        if not 0 < wanted <= self.context_tokens:
            raise OutputFailed(f"{wanted} tokens do not fit {self.context_tokens} places")
        self._context.forget()
        self._place = 0

    def _decode(self, ids: Sequence[int], *, every: bool) -> None:
        for token in ids:
            if not 0 <= token < self.vocabulary:  # llama.cpp ends the process
                raise OutputFailed(f"{token} is no token of this model")
        batch = self._context.batch
        batch.clear()
        batch.add(array("i", ids), self._place, 0, logits=True)
        if every:
            batch.want_all()
        if self._context.decode():
            raise OutputFailed("llama.cpp could not decode")
        self._place += len(ids)

    def _last(self) -> Row:
        return self._context.logits(-1)
