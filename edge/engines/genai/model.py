"""The only module that calls ONNX Runtime GenAI: a loaded model, and KV caches on it.

Turns the library's errors into ours. What is generated, and when to stop, is left to `run.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from skerry.edge.engines.genai.folder import GenaiFolder
from skerry.edge.engines.genai.sampling import Row
from skerry.edge.errors import AdapterError, GrammarError, ModelError, ModelInvalid
from skerry.edge.onnx import import_genai

GRANULE = 8
"""Positions are reused and computed in multiples of this. Int4 kernels compute rows in tiles of
four and a single row otherwise, which moves logits by up to 0.5; with the tiles always at the same
positions, a prompt has the same logits whatever part of it was cached (float32: to 1e-5)."""


class CacheClosed(Exception):
    """The cache was freed while a generation ran on it; it ends as cancelled."""


class KvCache:
    """One sequence of tokens with its keys and values.

    Used by one generation at a time; `close` may come from any thread, between two steps.
    """

    def __init__(self, generator: Any, adapter: str | None) -> None:
        self._generator = generator
        self.adapter = adapter
        self._lock = threading.Lock()
        self.tokens: list[int] = []

    def shared(self, ids: Sequence[int], adapter: str | None) -> int:
        """How many tokens `start` would reuse: whole granules, not the last token here, which was
        never computed, and so that more than one remains to be computed."""
        if adapter != self.adapter:
            return 0
        most = min(len(self.tokens) - 1, len(ids) - 2)
        same = (here == there for here, there in zip(self.tokens, ids, strict=False))
        differs = next((at for at, equal in enumerate(same) if not equal), most)
        return max(min(differs, most), 0) // GRANULE * GRANULE

    def start(self, ids: Sequence[int]) -> int:
        """Goes back to what the cache has in common with `ids`; returns the length of that."""
        kept = self.shared(ids, self.adapter)
        if self.tokens:
            with self._native() as generator:
                generator.rewind_to(kept)
            del self.tokens[kept:]
        return kept

    def append(self, ids: Sequence[int]) -> None:
        """Computes `ids`, of which there is at least one. Holds the interpreter's lock."""
        with self._native() as generator:
            generator.append_tokens(np.asarray(ids, np.int32))
        self.tokens += ids

    def logits(self) -> Row:
        """A copy of the logits of the next token, shape (vocabulary,)."""
        with self._native() as generator:
            return np.array(generator.get_logits()[0, -1], np.float32)

    def take(self, scores: Row | None) -> int:
        """Appends and returns the token with the largest score (None: the largest logit), of
        those that the grammar allows."""
        with self._native() as generator:
            if scores is not None:
                generator.set_logits(scores[None, None, :])
            generator.generate_next_token()
            token = int(generator.get_next_tokens()[0])
        self.tokens.append(token)
        return token

    def close(self) -> None:
        """Frees the memory. May be called twice."""
        with self._lock:
            self._generator = None

    @contextmanager
    def _native(self) -> Iterator[Any]:
        with self._lock:
            if self._generator is None:
                raise CacheClosed
            try:
                yield self._generator
            except RuntimeError as error:
                raise ModelError(
                    f"ONNX Runtime GenAI failed while it generated: {_first_line(error)}",
                    hint="try a smaller context_tokens, or export the model again",
                ) from error


class GenaiModel:
    """A model in memory. Thread-safe.

    Args:
        folder: what `read_folder` found.
        threads: of one computation; 0 lets the library choose.
        adapters: LoRA files of this model by name, in ONNX Runtime's adapter format.

    Raises:
        ConfigError: the library is not installed.
        ModelInvalid: the weights are damaged, or are not what the configuration says.
        AdapterError: an adapter is missing or does not fit.
    """

    def __init__(
        self, folder: GenaiFolder, *, threads: int = 0, adapters: Mapping[str, Path] | None = None
    ) -> None:
        self._library = import_genai()
        self._folder = folder
        self._model: Any = self._load(threads)
        self._adapters = self._load_adapters(adapters or {})
        self.adapter_names = frozenset(adapters or {})
        self._probe()

    def cache(
        self, *, max_tokens: int, adapter: str | None = None, grammar: str | None = None
    ) -> KvCache:
        """An empty cache for `max_tokens` tokens, prompt included.

        Args:
            grammar: in llguidance's Lark dialect.

        Raises:
            GrammarError: the grammar cannot be compiled.
            ModelError: the model was closed, or there is not enough memory.
        """
        model = self._model  # another thread may close the model meanwhile
        if model is None:
            raise ModelError("the model is closed", hint="load it again")
        params = self._library.GeneratorParams(model)
        params.set_search_options(max_length=max_tokens, do_sample=False)
        if grammar is not None:
            params.set_guidance("lark_grammar", grammar)
        try:
            generator = self._library.Generator(model, params)
        except RuntimeError as error:
            raise _cache_error(error, guided=grammar is not None) from error
        if adapter is not None:
            generator.set_active_adapter(self._adapters, adapter)
        return KvCache(generator, adapter)

    def close(self) -> None:
        """Frees the weights as soon as no cache uses them. May be called twice."""
        self._adapters = self._model = None

    def _load(self, threads: int) -> Any:
        options = {"intra_op_num_threads": threads} if threads else {}
        overlay = {"model": {"decoder": {"session_options": options}}}
        try:
            config = self._library.Config(str(self._folder.path))
            config.overlay(json.dumps(overlay))
            return self._library.Model(config)
        except RuntimeError as error:
            raise self._invalid(_first_line(error)) from error

    def _load_adapters(self, adapters: Mapping[str, Path]) -> Any:
        if not adapters:
            return None
        loaded = self._library.Adapters(self._model)
        for name, path in adapters.items():
            try:
                loaded.load(str(path), name)
            except RuntimeError as error:
                raise AdapterError(
                    f"the adapter '{name}' ({path}) cannot be loaded: {_first_line(error)}",
                    hint="give an .onnx_adapter file that was made for this model",
                ) from error
        return loaded

    def _probe(self) -> None:
        """One token: weights that do not fit the configuration show themselves here."""
        cache = self.cache(max_tokens=2)
        try:
            cache.append([0])
            found = cache.logits().size
        except ModelError as error:
            raise self._invalid(error.what) from error
        if found != self._folder.vocabulary:
            raise self._invalid(f"it computes {found} logits, not {self._folder.vocabulary}")

    def _invalid(self, why: str) -> ModelInvalid:
        return ModelInvalid(
            f"the model '{self._folder.path}' cannot be loaded: {why}",
            hint="copy or export it again; a file may be truncated",
        )


def _cache_error(error: RuntimeError, *, guided: bool) -> ModelError | GrammarError:
    if guided:
        return GrammarError(
            f"the grammar cannot be compiled: {_first_line(error)}", hint="simplify the grammar"
        )
    return ModelError(
        f"no room for another conversation: {_first_line(error)}",
        hint="load the model with fewer context_tokens or less parallel",
    )


def _first_line(error: RuntimeError) -> str:
    return str(error).strip().split("\n", 1)[0][:300]
