"""What a GGUF model says and is told in text: its chat template, and the pieces of its tokens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from itertools import chain

from skerry.cloud.engines.llama.native import Model
from skerry.cloud.engines.llama.template import Template
from skerry.cloud.engines.spelling import PieceSpelling
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.frames import Message


class LlamaWords:
    """See `skerry.cloud.engines.base.Words`. Valid until it is closed; the model is its owner's.

    Raises:
        TargetError: the model's chat template cannot be compiled.
    """

    def __init__(self, model: Model, ends: frozenset[int], context_tokens: int) -> None:
        source, bos, eos = model.chat_template()
        self._template = Template(source, control=model.control(), bos=bos, eos=eos)
        self._begin = model.begins_with
        self._pieces = [model.piece(token) for token in range(model.size)]
        self._most = context_tokens * max(map(len, self._pieces))
        self._model, self._ends = model, ends
        self._using = threading.Lock()
        self._open = True

    async def prompt(self, messages: Sequence[Message]) -> list[int]:
        return await asyncio.to_thread(self._prompt, messages)

    def spelling(self) -> PieceSpelling:
        return PieceSpelling(self._piece, self._ends)

    def close(self) -> None:
        """Waits for what uses the model. May be called twice."""
        with self._using:
            self._open = False

    def _piece(self, token: int) -> bytes:
        return self._pieces[token]

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        size = sum(len(one.content.encode()) for one in messages)
        if size > self._most:  # whatever its tokens are; megabytes take seconds
            raise RequestError(
                f"the messages have {size} bytes, and {self._most} are the most that can fit",
                hint="ask with less before it",
            )
        parts = self._template.parts(messages)
        with self._using:
            if not self._open:
                raise TargetError("the engine is closed")
            tokens = (self._model.tokenized(text, special=special) for text, special in parts)
            found = list(chain.from_iterable(tokens))
        if self._begin is not None and found[:1] != [self._begin]:
            found.insert(0, self._begin)
        return found
