"""What a folder's tokenizer files say of a conversation: how it is written, and how an answer ends.

Reads `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja` and `generation_config.json`.
Templates run in Jinja's sandbox. They may still take long: measurements run in processes that are
ended in time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from skerry.export.errors import OutputFailed, Unsupported
from skerry.export.formats.running import TOKENIZER, read_tokenizer

CHAT_FILES = (
    TOKENIZER, "tokenizer_config.json", "chat_template.jinja", "generation_config.json",
)  # fmt: skip
_SPACE_MARK = "\u2581"
_ENDS = frozenset(
    [
        "<|im_end|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|endoftext|>",
        "<|end|>",
        "<end_of_turn>",
        "</s>",
        "<file_sep>",
    ]
)
"""Tokens that end an answer wherever a vocabulary has them, as in llama.cpp (`llama-vocab.cpp`)."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A tokenizer that knows its model's conversations. `names`: texts of `bos_token`, `eos_token`.

    `template` is None where the folder has none; `ends_at` are the ids that end an answer.
    """

    tokenizer: Any
    template: str | None
    names: Mapping[str, str]
    ends_at: frozenset[int]
    pieces: Mapping[int, bytes]

    def ids(self, system: str, user: str) -> list[int]:
        """The tokens of a conversation that waits for the model's answer.

        Raises:
            Unsupported: there is no template, or it refuses these messages.
        """
        if self.template is None:
            raise Unsupported("the model has no chat template")
        turns = [("system", system), ("user", user)] if system else [("user", user)]
        messages = [{"role": role, "content": said} for role, said in turns]
        text = _rendered(self.template, messages, self.names)
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids


def read_chat(folder: Path) -> Chat:
    """Raises OutputFailed where a file is missing or damaged."""
    tokenizer = read_tokenizer(folder)
    config, generation = (_read(folder / name) for name in (CHAT_FILES[1], CHAT_FILES[3]))
    names = {name: _text(config.get(name)) for name in ("bos_token", "eos_token")}
    decoder = _read(folder / TOKENIZER).get("decoder") or {}
    return Chat(
        tokenizer=tokenizer,
        template=_template(folder, config),
        names=names,
        ends_at=frozenset(_ends(tokenizer, names["eos_token"], generation)),
        pieces=_pieces(tokenizer, "ByteLevel" in _kinds(decoder)),
    )


def _rendered(template: str, messages: list[dict[str, str]], names: Mapping[str, str]) -> str:
    from jinja2 import TemplateError

    try:
        made = _compiled(template).render(messages=messages, add_generation_prompt=True, **names)
    except (TemplateError, TypeError, ValueError, LookupError, RecursionError) as error:
        raise Unsupported(f"the model's chat template cannot be used: {error}") from error
    return str(made)


@cache
def _compiled(template: str) -> Any:
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    made.globals["raise_exception"] = _raise
    return made.from_string(template)


def _raise(message: str) -> None:
    """What templates call where they refuse messages."""
    from jinja2 import TemplateError

    raise TemplateError(message)


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise OutputFailed(f"'{file}' cannot be read: {error}", hint="export again") from error
    return found if isinstance(found, dict) else {}


def _template(folder: Path, config: Mapping[str, Any]) -> str | None:
    file = folder / CHAT_FILES[2]
    if file.is_file():
        return file.read_text("utf-8")
    said = config.get("chat_template")
    return said if isinstance(said, str) else None


def _text(token: object) -> str:
    """A special token is written as its text, or as an object with it in `content`."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else ""


def _ends(tokenizer: Any, eos: str, generation: Mapping[str, Any]) -> Iterable[int]:
    stated = generation.get("eos_token_id")
    yield from (
        one for one in (stated if isinstance(stated, list) else [stated]) if type(one) is int
    )
    for name in sorted({eos, *_ENDS}):
        number = tokenizer.token_to_id(name) if name else None
        if number is not None:
            yield number


def _kinds(decoder: Mapping[str, Any]) -> set[str]:
    """The type of a decoder of tokenizer.json, and those of its parts."""
    return {str(decoder.get("type", ""))}.union(*map(_kinds, decoder.get("decoders", ())))


def _pieces(tokenizer: Any, byte_level: bool) -> dict[int, bytes]:
    """The bytes that each token adds to a text; none for control tokens."""
    added = tokenizer.get_added_tokens_decoder()
    letters = _byte_letters() if byte_level else None
    plain = tokenizer.get_vocab(with_added_tokens=False).items()
    spelled = {number: _bytes_of(text, letters) for text, number in plain}
    own = {number: b"" if one.special else one.content.encode() for number, one in added.items()}
    return spelled | own


def _bytes_of(text: str, letters: Mapping[str, int] | None) -> bytes:
    """Of a vocabulary entry: byte-level BPE by `letters`, or SentencePiece."""
    if letters is not None:
        return bytes(letters[letter] for letter in text if letter in letters)
    if len(text) == 6 and text.startswith("<0x") and text.endswith(">"):
        return bytes.fromhex(text[3:5])
    return text.replace(_SPACE_MARK, " ").encode("utf-8")


def _byte_letters() -> dict[str, int]:
    """GPT-2's letter for each byte: printable ones stand for themselves, the rest from U+0100 on.

    Source: `bytes_to_unicode` in https://github.com/openai/gpt-2/blob/master/src/encoder.py
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(0x100) if byte not in printable)
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(0x100 + offset): byte for offset, byte in enumerate(others)}
