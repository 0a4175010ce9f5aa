"""The ONNX Runtime GenAI engine: the `Engine` Protocol over one model folder.

Checks and prepares a request; `run.py` generates. A generation with a grammar runs on a cache
of its own, as the library binds a grammar to a cache; all others share the slots' caches.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from skerry.edge.engines.base import (
    EngineOptions,
    Generation,
    Message,
    ModelInfo,
    Piece,
)
from skerry.edge.engines.checks import check_fits, check_request
from skerry.edge.engines.genai.ahead import run_ahead
from skerry.edge.engines.genai.folder import GenaiFolder, describe, read_folder
from skerry.edge.engines.genai.lark import lark_of_gbnf
from skerry.edge.engines.genai.model import GRANULE, GenaiModel, KvCache
from skerry.edge.engines.genai.run import Job, Run, cancelled
from skerry.edge.engines.genai.slots import Slot, Slots, Wanted
from skerry.edge.engines.text import clean_text
from skerry.edge.errors import AdapterError, InputError, ModelError

PREFILL_TOKENS = 64  # the library holds the interpreter's lock for that long
_PROBE_TOKENS = 8


def load_genai(
    path: Path, options: EngineOptions | None = None, *, name: str | None = None
) -> GenaiEngine:
    """Loads the model folder `path`.

    `options.kv_type` and `options.gpu_layers` are llama.cpp's: here the export has fixed the type
    of the cache, and genai_config.json names the execution provider. `options.batch_tokens`
    counts up to `PREFILL_TOKENS`: larger steps would stop every other thread for longer.

    Raises:
        ConfigError: onnxruntime-genai is not installed.
        ModelNotFound: no folder, or no genai_config.json in it.
        ModelInvalid: a file is damaged, or the weights are not what the configuration says.
        AdapterError: an adapter is missing or does not fit the model.
    """
    options = options or EngineOptions()
    folder = read_folder(path, options.chat_template)
    model = GenaiModel(folder, threads=options.threads, adapters=options.adapters)
    return GenaiEngine(folder, model, options, name=name or path.resolve().name)


class GenaiEngine:
    """A loaded model. Made by `load_genai`."""

    def __init__(
        self, folder: GenaiFolder, model: GenaiModel, options: EngineOptions, *, name: str
    ) -> None:
        self._folder = folder
        self._model = model
        self._name = name
        self._context_tokens = folder.context_tokens(options.context_tokens)
        self._slots = Slots(options.parallel)
        self._prefill_tokens = _prefill_tokens(options.batch_tokens)
        self._closed = threading.Event()

    @cached_property
    def info(self) -> ModelInfo:
        """Hashes the files when it is asked for the first time, unless their digests are known."""
        return describe(self._folder, name=self._name, context_tokens=self._context_tokens)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        self._check_open()
        return self._folder.tokens.encode(clean_text(text), special=special)

    def detokenize(self, ids: Sequence[int]) -> str:
        self._check_open()
        return self._folder.tokens.decode(ids)

    def render(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        return self._folder.template.render(messages, tools)

    def check_grammar(self, grammar: str) -> None:
        self._model.cache(max_tokens=_PROBE_TOKENS, grammar=lark_of_gbnf(grammar)).close()

    def generate(self, request: Generation) -> Iterator[Piece]:
        self._check_open()
        check_request(request)
        self._check_adapter(request.adapter)
        ids = self._prompt_ids(request)
        check_fits(len(ids), self._context_tokens)
        grammar = None if request.grammar is None else lark_of_gbnf(request.grammar)
        abandoned = threading.Event()
        return run_ahead(self._stream(request, ids, grammar, abandoned), abandoned)

    def close(self) -> None:
        self._closed.set()
        self._slots.clear()
        self._model.close()

    def _stream(
        self,
        request: Generation,
        ids: Sequence[int],
        grammar: str | None,
        abandoned: threading.Event,
    ) -> Iterator[Piece]:
        def stopped() -> bool:
            return any(event.is_set() for event in (request.cancel, self._closed, abandoned))

        began = time.perf_counter()
        with self._slots.lease(Wanted(ids, request.session, request.adapter), stopped) as slot:
            job = self._job(request, ids, stopped, queued_ms=(time.perf_counter() - began) * 1e3)
            if slot is None:
                yield cancelled(job)
            else:
                yield from self._on_slot(slot, job, grammar)

    def _job(
        self,
        request: Generation,
        ids: Sequence[int],
        stopped: Callable[[], bool],
        *,
        queued_ms: float,
    ) -> Job:
        seed = request.sampling.seed
        return Job(
            request=request,
            ids=ids,
            seed=secrets.randbits(32) if seed is None else seed,
            limit=min(request.max_tokens, self._context_tokens - len(ids)),
            prefill_tokens=self._prefill_tokens,
            stop_ids=self._folder.stop_ids,
            stopped=stopped,
            queued_ms=queued_ms,
        )

    def _on_slot(self, slot: Slot, job: Job, grammar: str | None) -> Iterator[Piece]:
        try:
            yield from Run(job, self._cache(slot, job, grammar), self._folder.tokens).pieces()
        except ModelError:
            slot.drop()  # nobody knows what a failed cache holds
            if not self._closed.is_set():
                raise
            yield cancelled(job)
        finally:
            slot.leave()
            if self._closed.is_set():
                slot.drop()

    def _cache(self, slot: Slot, job: Job, grammar: str | None) -> KvCache:
        adapter = job.request.adapter
        if grammar is not None:
            length = len(job.ids) + job.limit
            slot.guest = self._model.cache(max_tokens=length, adapter=adapter, grammar=grammar)
            return slot.guest
        if slot.kept is None or slot.kept.adapter != adapter:
            slot.drop()
            slot.kept = self._model.cache(max_tokens=self._context_tokens, adapter=adapter)
        return slot.kept

    def _prompt_ids(self, request: Generation) -> list[int]:
        tokens = self._folder.tokens
        if request.messages is not None:
            parts = self._folder.template.parts(request.messages, request.tools)
            self._check_length(sum(len(part.text) for part in parts))
            ids = (tokens.encode(part.text, special=part.special) for part in parts)
            return list(itertools.chain.from_iterable(ids))
        if isinstance(request.prompt, str):
            self._check_length(len(request.prompt))
            return tokens.encode_prompt(clean_text(request.prompt))
        return self._known_ids(request.prompt or ())

    def _check_length(self, characters: int) -> None:
        """Refuses in a moment what would take seconds to tokenise, and cannot fit anyway."""
        check_fits(characters // self._folder.tokens.longest_piece, self._context_tokens)

    def _known_ids(self, ids: Sequence[int]) -> list[int]:
        unknown = next((token for token in ids if not 0 <= token < self._folder.vocabulary), None)
        if unknown is not None:
            raise InputError(
                f"there is no token {unknown} in the vocabulary of {self._folder.vocabulary}",
                hint="tokenise the text with this model",
            )
        return list(ids)

    def _check_adapter(self, adapter: str | None) -> None:
        if adapter is not None and adapter not in self._model.adapter_names:
            known = ", ".join(sorted(self._model.adapter_names)) or "none"
            raise AdapterError(
                f"there is no adapter '{adapter}'", hint=f"adapters of this model: {known}"
            )

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise ModelError(f"the model '{self._name}' is closed", hint="load it again")


def _prefill_tokens(wanted: int) -> int:
    """Whole granules, at most `PREFILL_TOKENS`; that many for 0."""
    most = min(wanted or PREFILL_TOKENS, PREFILL_TOKENS)
    return max(most // GRANULE, 1) * GRANULE
