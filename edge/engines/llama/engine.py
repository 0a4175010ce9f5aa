"""The llama.cpp engine: a GGUF model behind the Engine Protocol.

It checks requests, makes prompts of them and hands them to the worker thread; decoding
is in `worker.py`. `load_llama` in `loader.py` makes one.
"""

from __future__ import annotations

import os
import secrets
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from skerry.bundles.gguf.header import GgufHeader
from skerry.bundles.llama.context import ContextShape
from skerry.bundles.llama.native import Handle
from skerry.edge.engines.base import (
    EngineOptions,
    Generation,
    Message,
    ModelInfo,
    Piece,
)
from skerry.edge.engines.chat import ChatTemplate, PromptPart
from skerry.edge.engines.checks import check_fits, check_request
from skerry.edge.engines.digest import FileDigest
from skerry.edge.engines.llama.native import NativeAdapter, NativeContext, NativeModel, Vocabulary
from skerry.edge.engines.llama.sampling import Candidates, Chooser, compile_grammar, free_grammar
from skerry.edge.engines.llama.task import Instruments, Task
from skerry.edge.engines.llama.worker import Worker
from skerry.edge.engines.stats import RowMeter
from skerry.edge.engines.text import clean_text
from skerry.edge.errors import AdapterError, ContextOverflow, EdgeError, InputError, ModelError

ENGINE = "llama.cpp"


class LlamaEngine:
    """A loaded GGUF model; see `Engine` for what the methods promise.

    Unlike a raw prompt, messages cannot smuggle control tokens in: use messages for text of
    strangers.
    """

    def __init__(
        self,
        header: GgufHeader,
        shape: ContextShape,
        options: EngineOptions,
        digest: FileDigest,
        *,
        name: str,
    ) -> None:
        self._header = header
        self._given_template = options.chat_template
        self._name = name
        self._digest = digest
        self._core = _Core(header, shape, options)
        self._finalizer = weakref.finalize(self, _shut, self._core, digest)

    @cached_property
    def info(self) -> ModelInfo:
        """Waits for the file's digest when it is asked for the first time."""
        header = self._header
        return ModelInfo(
            name=self._name,
            path=header.path,
            engine=ENGINE,
            architecture=header.architecture,
            parameters=header.parameters,
            size_bytes=header.size_bytes,
            context_tokens=self._core.context_tokens,
            trained_context_tokens=header.context_tokens,
            vocabulary=self._core.vocab.size,
            quantization=header.quantization,
            digest=self._digest.result(),
            licence=header.licence,
        )

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        with self._core.in_use():
            return self._core.vocab.tokenize(clean_text(text), special=special)

    def detokenize(self, ids: Sequence[int]) -> str:
        with self._core.in_use():
            return self._core.vocab.detokenize(ids)

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """See `skerry.edge.split.tokenizer.Tokenizer`."""
        with self._core.in_use():
            return self._tokens(self._template.parts(messages, ()))

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to the text."""
        with self._core.in_use():
            return self._core.vocab.piece(token)

    def vocabulary_digest(self) -> bytes:
        """`skerry.cloud.hints.vocabulary.digest` of the model's tokens."""
        with self._core.in_use():
            return self._core.vocab.digest

    def render(
        self, messages: Sequence[Message], *, tools: Sequence[Mapping[str, Any]] = ()
    ) -> str:
        with self._core.in_use():
            return self._template.render(messages, tools)

    def check_grammar(self, grammar: str) -> None:
        with self._core.in_use():
            free_grammar(compile_grammar(self._core.vocab.handle, grammar))

    def generate(self, request: Generation) -> Iterator[Piece]:
        """Starts at once; errors of the request are raised here, not at the first piece."""
        check_request(request)
        with self._core.in_use():
            prompt = self._prompt(request)
            check_fits(len(prompt), self._core.context_tokens)
            self._core.check_adapter(request.adapter)
            task = self._task(request, prompt)
            try:
                self._core.worker.submit(task)
            except ModelError as error:
                task.fail(error)
                raise
        return _Stream(task, self)

    def check_process(self) -> None:
        """Raises ModelError in a process that was forked from the model's."""
        self._core.check_process()

    def close(self) -> None:
        self._finalizer()

    @cached_property
    def _template(self) -> ChatTemplate:
        source = self._given_template or self._header.metadata.get("tokenizer.chat_template")
        vocab = self._core.vocab
        return ChatTemplate(
            source if isinstance(source, str) else None,
            control=vocab.control,
            bos=vocab.name(vocab.bos),
            eos=vocab.eos_name(),
        )

    def _prompt(self, request: Generation) -> list[int]:
        if request.messages is not None:
            return self._tokens(self._template.parts(request.messages, request.tools))
        if isinstance(request.prompt, str):
            return self._tokens([PromptPart(clean_text(request.prompt), special=True)])
        return self._checked_ids(request.prompt or ())

    def _tokens(self, parts: Sequence[PromptPart]) -> list[int]:
        """Token ids of the parts, with BOS in front if the model wants it."""
        self._check_size(parts)
        vocab = self._core.vocab
        ids = [token for part in parts for token in vocab.tokenize(part.text, special=part.special)]
        if vocab.adds_bos and ids[:1] != [vocab.bos]:
            ids.insert(0, vocab.bos)
        if not ids:
            raise InputError("the prompt has no tokens", hint="ask something")
        return ids

    def _check_size(self, parts: Sequence[PromptPart]) -> None:
        """Refuses what cannot fit whatever its tokens are, before megabytes are tokenised."""
        size = sum(len(part.text.encode("utf-8")) for part in parts)
        most = self._core.context_tokens * self._header.token_bytes
        if size > most:
            raise ContextOverflow(
                f"the prompt has {size} bytes; the context of {self._core.context_tokens} "
                f"tokens holds {most} at most",
                hint="shorten the prompt, or put the document into the index",
            )

    def _checked_ids(self, prompt: Sequence[int]) -> list[int]:
        ids = list(prompt)
        size = self._core.vocab.size
        if not all(isinstance(token, int) and 0 <= token < size for token in ids):
            raise InputError(
                "the prompt has ids that are not tokens of this model",
                hint=f"ids are whole numbers from 0 to {size - 1}; use this model's tokenizer",
            )
        return ids

    def _task(self, request: Generation, prompt: list[int]) -> Task:
        core = self._core
        drawn = request.sampling.seed
        seed = secrets.randbits(31) if drawn is None else drawn
        grammar: Handle = 0
        if request.grammar is not None:
            grammar = compile_grammar(core.vocab.handle, request.grammar)
        chooser = Chooser(
            request.sampling,
            seed=seed,
            window=core.context_tokens,
            vocabulary=core.vocab.size,
            grammar=grammar,
        )
        limit = min(request.max_tokens, core.context_tokens - len(prompt) + 1)
        return Task(request, prompt, seed=seed, limit=limit, chooser=chooser)


class _Core:
    """The native parts of an engine: they live and die together.

    Raises:
        ModelInvalid, AdapterError, ConfigError, ModelError: as the parts do.
    """

    def __init__(self, header: GgufHeader, shape: ContextShape, options: EngineOptions) -> None:
        self._users = 0
        self._open = True
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._model = NativeModel(header.path, gpu_layers=options.gpu_layers)
        try:
            self.vocab = Vocabulary(self._model.vocab)
            self._adapters = {
                name: NativeAdapter(self._model, name, path)
                for name, path in options.adapters.items()
            }
            context = NativeContext(self._model, shape)
        except EdgeError:
            self._model.close()
            raise
        self.context_tokens = min(context.context_tokens, header.context_tokens)
        tools = Instruments(self.vocab, RowMeter(self.vocab.size), Candidates(self.vocab.size))
        self.worker = Worker(
            context,
            tools,
            self._adapters,
            parallel=shape.parallel,
        )

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keeps the model from being freed meanwhile; ModelError when it was closed."""
        self.check_process()
        with self._changed:
            if not self._open:
                raise ModelError("the model was closed", hint="load it again")
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    @property
    def is_forked(self) -> bool:
        """Whether this is a process that was forked from the model's: its threads stayed there."""
        return os.getpid() != self._process

    def check_process(self) -> None:
        if self.is_forked:
            raise ModelError(
                "the model belongs to the process that this one was forked from",
                hint="load it again in this process",
            )

    def check_adapter(self, name: str | None) -> None:
        if name is not None and name not in self._adapters:
            known = ", ".join(sorted(self._adapters)) or "none"
            raise AdapterError(
                f"there is no adapter '{name}'; loaded are: {known}",
                hint="name it in EngineOptions.adapters when the model is loaded",
            )

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: not self._users)
        self.worker.close()
        self._model.close()


def _shut(core: _Core, digest: FileDigest) -> None:
    """Runs once: at close, when the engine is collected, or when the interpreter ends.

    In a forked process nothing is done: there are no threads to wait for.
    """
    if core.is_forked:
        return
    digest.stop()
    core.close()


class _Stream(Iterator[Piece]):
    """The pieces of one task; closing or dropping it cancels. Waits without polling."""

    def __init__(self, task: Task, engine: LlamaEngine) -> None:
        self._task = task
        self._engine: LlamaEngine | None = engine
        """Kept, so that the model is not collected while its answer is read."""

    def __next__(self) -> Piece:
        if self._engine is None:
            raise StopIteration
        self._engine.check_process()
        piece = self._task.outbox.get()
        if isinstance(piece, EdgeError):
            self._engine = None
            raise piece
        if piece.finish is not None:
            self._engine = None
        return piece

    def close(self) -> None:
        """Cancels at the next token; nothing more is given."""
        self._task.dropped = True
        self._engine = None

    def __del__(self) -> None:
        self._task.dropped = True
