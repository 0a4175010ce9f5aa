"""A model's vocabulary: text to token ids and back, and which tokens are special."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import llama_cpp

from skerry.bundles.llama.errors import TokenRefused
from skerry.bundles.llama.native import Handle, Model, holding_gil

_PIECE_BYTES = 256

_int32, _pointer = ctypes.c_int32, ctypes.c_void_p
_attr = holding_gil(llama_cpp.llama_vocab_get_attr, ctypes.c_int, _pointer, _int32)
_is_eog = holding_gil(llama_cpp.llama_vocab_is_eog, ctypes.c_bool, _pointer, _int32)
_text = holding_gil(llama_cpp.llama_vocab_get_text, ctypes.c_char_p, _pointer, _int32)
_to_piece = holding_gil(
    llama_cpp.llama_token_to_piece,
    _int32, _pointer, _int32, ctypes.c_char_p, _int32, _int32, ctypes.c_bool,
)  # fmt: skip

_CONTROL = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN


@contextmanager
def vocabulary_of(path: Path) -> Iterator[Vocabulary]:
    """The vocabulary of a GGUF file whose weights are not loaded.

    Raises:
        LlamaRefused: llama.cpp does not take it.
    """
    model = Model(path, vocabulary_only=True)
    try:
        yield Vocabulary(model.vocab)
    finally:
        model.close()


class Vocabulary:
    """Thread-safe; valid while the model is loaded."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle
        self.size: int = llama_cpp.llama_vocab_n_tokens(handle)
        self.bos: int = llama_cpp.llama_vocab_bos(handle)
        self.adds_bos: bool = llama_cpp.llama_vocab_get_add_bos(handle)
        self.ends = frozenset(token for token in range(self.size) if _is_eog(handle, token))
        """Tokens that end a generation: EOS, end of turn, and the like."""
        self._pieces: dict[int, bytes] = {}

    @cached_property
    def control(self) -> tuple[str, ...]:
        """Texts that `tokenize(…, special=True)` takes for control tokens."""
        found = (token for token in range(self.size) if _attr(self.handle, token) & _CONTROL)
        return tuple(map(self.name, found))

    def texts(self) -> Iterator[bytes]:
        """The text of every token, as the file has it."""
        return (_text(self.handle, token) for token in range(self.size))

    def name(self, token: int) -> str:
        """The token's own text, `<|im_end|>` for example; empty for a token that is not there."""
        if not 0 <= token < self.size:
            return ""
        text: bytes = _text(self.handle, token)
        return text.decode("utf-8", "replace")

    def eos_name(self) -> str:
        return self.name(llama_cpp.llama_vocab_eos(self.handle))

    def tokenize(self, text: str, *, special: bool, first: bool = False) -> list[int]:
        """The ids of a text; `special` takes names of control tokens for those, `first` puts the
        model's own first token before them, where it wants one."""
        data = text.encode("utf-8")
        room = len(data) + 2
        ids = (ctypes.c_int32 * room)()
        count = llama_cpp.llama_tokenize(self.handle, data, len(data), ids, room, first, special)
        if count < 0:
            room = -count
            ids = (ctypes.c_int32 * room)()
            count = llama_cpp.llama_tokenize(
                self.handle, data, len(data), ids, room, first, special
            )
        return list(ids[:count])

    def detokenize(self, ids: Sequence[int]) -> str:
        """The text of `ids`; control tokens have none.

        Raises:
            TokenRefused: an id is no token of the model.
        """
        for token in ids:
            self._check(token)
        tokens = (ctypes.c_int32 * len(ids))(*ids)
        room = 16 * len(ids) + 16
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = llama_cpp.llama_detokenize(
                self.handle, tokens, len(ids), buffer, room, False, False
            )
            if count >= 0:
                return buffer.raw[:count].decode("utf-8", "replace")
            room = -count

    def piece(self, token: int) -> bytes:
        """The bytes that a generated token adds to the text; none for a control token.

        Raises:
            TokenRefused: the id is no token of the model.
        """
        known = self._pieces.get(token)
        if known is None:
            self._check(token)
            known = self._pieces[token] = self._piece(token, _PIECE_BYTES)
        return known

    def _check(self, token: int) -> None:
        """llama.cpp ends the process where it is asked for a token that is not there."""
        if not 0 <= token < self.size:
            raise TokenRefused(
                f"{token} is no token of this model, which has {self.size}",
                hint="give ids that the same model made",
            )

    def _piece(self, token: int, room: int) -> bytes:
        buffer = ctypes.create_string_buffer(room)
        count = _to_piece(self.handle, token, buffer, room, 0, False)
        return self._piece(token, -count) if count < 0 else buffer.raw[:count]
