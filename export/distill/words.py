"""Between text and a teacher's tokens, by llama.cpp."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from pathlib import Path

import llama_cpp
from jinja2.sandbox import ImmutableSandboxedEnvironment

from skerry.export.distill.errors import DistillError

_MARK = "\x01"


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]  # a ctypes prototype
def _quiet(level: int, text: bytes, _data: object) -> None:
    """llama.cpp prints otherwise."""


class Words:
    """The tokens and the chat template of a GGUF model.

    Raises:
        DistillError: llama.cpp cannot read it, or it has no chat template.
    """

    def __init__(self, path: Path) -> None:
        llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise DistillError(f"llama.cpp cannot load '{path}'", hint="give a GGUF model")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        every = range(llama_cpp.llama_vocab_n_tokens(self._vocab))
        self.ends = frozenset(
            one for one in every if llama_cpp.llama_vocab_is_eog(self._vocab, one)
        )
        template = llama_cpp.llama_model_chat_template(self._model, None)
        if not template:
            raise DistillError(f"'{path}' has no chat template", hint="give a chat model")
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(template.decode())
        question = [{"role": "user", "content": _MARK}]
        whole, asked = (self._chat(question, answer) for answer in (True, False))
        self.answer_mark = self.tokens("\n" + whole[len(asked) :])
        """What stands between the end of a question and its answer."""

    def tokens(self, text: str) -> list[int]:
        """The ids of a text in which special tokens are spelled out."""
        data = text.encode("utf-8", "replace")
        room = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), room, len(room), False, True)
        return list(room[:count])

    def text(self, tokens: Sequence[int]) -> str:
        """What ids say, without special tokens."""
        pieces, room = bytearray(), ctypes.create_string_buffer(256)
        for token in tokens:
            count = llama_cpp.llama_token_to_piece(self._vocab, token, room, 256, 0, False)
            pieces += room.raw[: max(count, 0)]
        return pieces.decode("utf-8", "replace")

    def asked(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """The prompt of a chat that is to be answered."""
        return self.tokens(self._chat(messages, True))

    def answered(self, messages: Sequence[Mapping[str, str]]) -> tuple[list[int], int]:
        """A whole chat, with what ends its last answer, and where that answer begins.

        Raises:
            DistillError: the template says something else of a question that is answered.
        """
        before, whole = self._chat(messages[:-1], True), self._chat(messages, False).rstrip()
        if not whole.startswith(before):
            raise DistillError("the chat template changes a question once it is answered")
        asked = self.tokens(before)
        return [*asked, *self.tokens(whole[len(before) :])], len(asked)

    def begun(self, messages: Sequence[Mapping[str, str]], starts: str) -> list[int]:
        """The prompt up to the first words of its last message."""
        chat = (*messages[:-1], {"role": "user", "content": _MARK})
        return self.tokens(self._chat(chat, False).split(_MARK)[0] + starts)

    def _chat(self, messages: Sequence[Mapping[str, str]], answer: bool) -> str:
        text: str = self._template.render(
            messages=list(messages), add_generation_prompt=answer, bos_token="", eos_token=""
        )
        return text
