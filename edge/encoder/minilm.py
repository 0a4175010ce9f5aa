"""MiniLM on ONNX Runtime and `tokenizers`, and nothing else.

The graph pools and normalises; this module cuts and batches. How the graph is made is
`skerry.export.encoder`'s business.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skerry.edge.encoder.ahead import Ahead
from skerry.edge.encoder.base import Vectors
from skerry.edge.encoder.files import DEFAULT_FOLDER, read_manifest
from skerry.edge.errors import Closed, InputError
from skerry.edge.forked import never_free_in_child

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = list[int]

_OUTPUT = "sentence_embedding"
_BATCH_TOKENS = 2048  # tokens in one pass: bounds memory; larger is not faster
_CHARACTERS_PER_TOKEN = 32  # far above what text has; bounds the work on a huge text
_COUNT_PIECE = 1 << 16  # characters tokenized at once when counting


@dataclass(frozen=True, slots=True)
class OnnxEncoder:
    """A `TextEncoder`. Equal texts give equal vectors to one rounding error of
    float32, whatever else is in the same call.

    Cut off are tokens past `max_tokens`, and before that characters past 32 times as many.
    NUL, other control characters and lone surrogates are dropped, as BERT's normaliser does.
    """

    id: str
    dimensions: int
    max_tokens: int
    _session: Any = field(repr=False)
    _tokenizer: Tokenizer = field(repr=False)
    _several_threads: bool = field(default=False, repr=False)
    _free: Any = field(default_factory=threading.Lock, repr=False, compare=False)
    _process: int = field(default_factory=os.getpid, repr=False, compare=False)

    @classmethod
    def load(
        cls, folder: Path | None = None, threads: int = 1, *, sha256: str | None = None
    ) -> OnnxEncoder:
        """The encoder in `folder`, or the one that comes with the package.

        `sha256` is the digest of its manifest, where a bundle says it.

        Raises:
            EncoderError: a file is missing, truncated, was changed or cannot be loaded.
        """
        manifest = read_manifest(DEFAULT_FOLDER if folder is None else folder, sha256=sha256)
        session = manifest.weights.session(threads)
        kept = weakref.ref(session)
        never_free_in_child(session, lambda: [kept()])
        return cls(
            id=manifest.id,
            dimensions=manifest.dimensions,
            max_tokens=manifest.max_tokens,
            _session=session,
            _tokenizer=manifest.weights.tokenizer(),
            _several_threads=threads > 1,
        )

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 [len(texts), dimensions]. Text past `max_tokens` is cut off.

        Raises:
            InputError: `texts` is one string, or an item is not a string.
            Closed: this process was forked from the one that loaded the encoder, with threads.
        """
        if isinstance(texts, str):
            raise InputError("encode takes a list of texts, not one text", hint="Pass [text].")
        rows = [self._ids(text) for text in texts]
        vectors = np.empty((len(rows), self.dimensions), np.float32)
        for batch in _batches([len(row) for row in rows]):
            vectors[batch] = self._run(np.array([rows[i] for i in batch], np.int64))
        return vectors

    def begin(self, text: str) -> Callable[[], Vectors]:
        """Starts to encode a text while the caller goes on; what is returned waits for its unit
        vector, float32 [1, dimensions].

        Nothing is begun with one thread, or while another text is under way: then the text is
        encoded when its vector is asked for. What was begun must be asked for.

        Raises:
            InputError: the text is not a string.
            Closed: as for `encode`; what is returned raises it, too.
        """
        self._check_process()
        ids = np.array([self._ids(text)], np.int64)
        if not self._several_threads or not self._free.acquire(blocking=False):
            return lambda: self._run(ids)
        ahead = Ahead(self._session, _OUTPUT, _feed(ids), self._free)
        try:
            ahead.start()
        except BaseException:
            self._free.release()
            raise

        def vectors() -> Vectors:
            self._check_process()
            found: Vectors | None = ahead.result()
            return self._run(ids) if found is None else found

        return vectors

    def count_tokens(self, text: str) -> int:
        """Tokens of the whole text, with the two that mark start and end; nothing is cut off."""
        encode = self._tokenizer.encode
        pieces = _pieces(_clean(text))
        return 2 + sum(len(encode(piece, add_special_tokens=False).ids) for piece in pieces)

    def _ids(self, text: str) -> Ids:
        if not isinstance(text, str):
            raise InputError(f"a text is needed, not {type(text).__name__}")
        head = _clean(text[: self.max_tokens * _CHARACTERS_PER_TOKEN])
        ids: Ids = self._tokenizer.encode(head).ids
        if len(ids) > self.max_tokens:
            ids = [*ids[: self.max_tokens - 1], ids[-1]]
        return ids

    def _run(self, ids: NDArray[np.int64]) -> Vectors:
        self._check_process()
        vectors: Vectors = self._session.run([_OUTPUT], _feed(ids))[0]
        return vectors

    def _check_process(self) -> None:
        """Threads do not come along to a forked process, which would wait for them for ever."""
        if self._several_threads and os.getpid() != self._process:
            what = "this encoder has threads in the process that this one was forked from"
            raise Closed(what, hint="load one in the child, or one with threads=1 before the fork")


def _feed(ids: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def _clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode("utf-8")


def _pieces(text: str) -> Iterator[str]:
    """Parts of the text, split at white space where there is some: no token spans two."""
    start = 0
    while start < len(text):
        end = start + _COUNT_PIECE
        if end < len(text):
            space = max(text.rfind(mark, start, end) for mark in " \n\t")
            end = space + 1 if space > start else end
        yield text[start:end]
        start = end


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of texts with equal numbers of tokens, at most `_BATCH_TOKENS` tokens in a batch.

    Nothing is padded: padding costs time, and moves a vector by a rounding error.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, length in enumerate(lengths):
        by_length[length].append(i)
    for length, indices in by_length.items():
        size = max(1, _BATCH_TOKENS // length)
        for start in range(0, len(indices), size):
            yield indices[start : start + size]
