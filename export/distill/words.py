"""Between text and a teacher's tokens, by llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment

from skerry.bundles.llama.errors import LlamaError
from skerry.bundles.llama.facts import chat_template
from skerry.bundles.llama.native import Model
from skerry.bundles.llama.vocab import Vocabulary
from skerry.export.distill.errors import DistillError

_MARK = "\x01"


class Words:
    """The tokens and the chat template of a GGUF model.

    Raises:
        DistillError: llama.cpp cannot read it, or it has no chat template.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._model = Model(path, vocabulary_only=True)
        except LlamaError as error:
            raise DistillError(error.what, hint="give a GGUF model") from error
        self._vocab = Vocabulary(self._model.vocab)
        self.ends = self._vocab.ends
        template = chat_template(self._model)
        if not template:
            raise DistillError(f"'{path}' has no chat template", hint="give a chat model")
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(template)
        question = [{"role": "user", "content": _MARK}]
        whole, asked = (self._chat(question, answer) for answer in (True, False))
        self.answer_mark = self.tokens("\n" + whole[len(asked) :])
        """What stands between the end of a question and its answer."""

    def tokens(self, text: str) -> list[int]:
        """The ids of a text in which special tokens are spelled out."""
        plain = text.encode("utf-8", "replace").decode()
        return self._vocab.tokenize(plain, special=True)

    def text(self, tokens: Sequence[int]) -> str:
        """What ids say, without special tokens."""
        return b"".join(map(self._vocab.piece, tokens)).decode("utf-8", "replace")

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
