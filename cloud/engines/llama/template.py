"""A model's chat template: messages to the text that it was trained on, in parts.

Texts of control tokens inside a message are kept apart from those of the template, so that
`<|im_end|>` in a question is letters and signs, never the end of a turn. Pure.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Sequence

from jinja2 import TemplateError
from llama_cpp.llama_chat_format import CHATML_CHAT_TEMPLATE, Jinja2ChatFormatter

from skerry.cloud.engines.chat import without_system
from skerry.cloud.errors import RequestError, TargetError
from skerry.cloud.hints.frames import Message

Part = tuple[str, bool]
"""A stretch of text, and whether control tokens in it count as such."""

_COMPILE_ERRORS = (TemplateError, RecursionError, ValueError, SyntaxError)
_RENDER_ERRORS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Template:
    """Args:
        source: Jinja's; empty for ChatML, which models without one are mostly trained on.
        control: the texts of control tokens.
        bos, eos: texts of those tokens, for templates that write them.

    Raises:
        TargetError: it cannot be compiled.
    """

    def __init__(self, source: str, *, control: Collection[str], bos: str, eos: str) -> None:
        try:
            self._formatter = Jinja2ChatFormatter(source or CHATML_CHAT_TEMPLATE, eos, bos)
        except _COMPILE_ERRORS as error:
            raise TargetError(
                f"the model's chat template cannot be compiled: {error}",
                hint="use another build of the model",
            ) from error
        longest_first = sorted(filter(None, control), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def parts(self, messages: Sequence[Message]) -> list[Part]:
        """The prompt, ending where the assistant begins to speak. Where the template has no system,
        the user says what it would.

        Raises:
            RequestError: the template does not take these messages.
        """
        try:
            return self._parts(messages)
        except RequestError:
            merged = without_system(messages)
            if merged is None:
                raise
            return self._parts(merged)

    def _parts(self, messages: Sequence[Message]) -> list[Part]:
        mark, apart = f"x{secrets.token_hex(12)}x", list[str]()

        def placeholder(match: re.Match[str]) -> str:
            apart.append(match.group())
            return f"{mark}{len(apart) - 1}x"

        given = [
            {"role": one.role, "content": self._control.sub(placeholder, one.content)}
            for one in messages
        ]
        pieces = re.split(f"{mark}([0-9]+)x", self._rendered(given))
        return [part for part in _numbered(pieces, apart) if part[0]]

    def _rendered(self, messages: list[dict[str, str]]) -> str:
        try:
            return str(self._formatter(messages=messages).prompt)  # type: ignore[arg-type]
        except _RENDER_ERRORS as error:
            raise RequestError(
                f"the target's chat template does not take these messages: {error}",
                hint="check the roles and their order",
            ) from error


def _numbered(pieces: Sequence[str], apart: Sequence[str]) -> Iterator[Part]:
    """Every second piece is the number of a text that was kept apart."""
    for index, piece in enumerate(pieces):
        yield (apart[int(piece)], False) if index % 2 else (piece, True)
