"""The tokenizer of a GenAI folder: text to ids, ids to bytes, control tokens only when asked.

Reads `tokenizer.json` by the `tokenizers` library instead of GenAI's own tokenizer, which always
turns a control token's letters into the token: a user could then end their own turn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from skerry.edge.errors import ModelInvalid

FILE = "tokenizer.json"
_SPACE_MARK = "\u2581"


class Tokens:
    """Thread-safe: neither tokenizer is changed after it is made."""

    def __init__(self, text: str) -> None:
        from tokenizers import Tokenizer

        self._with_control = Tokenizer.from_str(text)
        self._plain = Tokenizer.from_str(text)
        self._plain.encode_special_tokens = True
        self._decoder = json.loads(text).get("decoder") or {}

    @classmethod
    def open(cls, folder: Path) -> Tokens:
        """Raises ModelInvalid when the folder has no tokenizer that can be read."""
        try:
            return cls((folder / FILE).read_text("utf-8"))
        except FileNotFoundError as error:
            raise _invalid(folder, "there is none") from error
        except Exception as error:  # tokenizers raises bare Exception
            raise _invalid(folder, str(error)) from error

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Ids without BOS; `special` lets control tokens be tokens."""
        core = self._with_control if special else self._plain
        ids: list[int] = core.encode(text, add_special_tokens=False).ids
        return ids

    def encode_prompt(self, text: str) -> list[int]:
        """Ids of a raw prompt: control tokens count, and the BOS that this model wants is added."""
        ids: list[int] = self._with_control.encode(text, add_special_tokens=True).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """The text, control tokens included."""
        text: str = self._with_control.decode(list(ids), skip_special_tokens=False)
        return text

    def piece(self, token: int) -> bytes:
        """The bytes that a token adds to a text; none for an id without an entry."""
        return self._pieces.get(token, b"")

    @cached_property
    def control(self) -> frozenset[str]:
        """The texts of the control tokens."""
        added = self._plain.get_added_tokens_decoder().values()
        return frozenset(entry.content for entry in added if entry.special)

    @cached_property
    def longest_piece(self) -> int:
        """Bytes of the longest token: a text of n bytes has at least n / longest tokens."""
        return max(map(len, self._pieces.values()), default=1)

    @cached_property
    def _pieces(self) -> dict[int, bytes]:
        added = self._plain.get_added_tokens_decoder()
        letters = _byte_letters() if _kinds(self._decoder) & {"ByteLevel"} else None
        pieces = {
            token: _bytes_of(text, letters)
            for text, token in self._plain.get_vocab(with_added_tokens=False).items()
        }
        return pieces | {token: entry.content.encode() for token, entry in added.items()}


def _invalid(folder: Path, why: str) -> ModelInvalid:
    return ModelInvalid(
        f"the tokenizer of '{folder}' cannot be used: {why}",
        hint=f"export the model again: the folder needs the {FILE} of its tokenizer",
    )


def _kinds(decoder: dict[str, Any]) -> set[str]:
    """The type of a decoder of tokenizer.json, and those of its parts."""
    return {decoder.get("type", "")}.union(*map(_kinds, decoder.get("decoders", ())))


def _bytes_of(text: str, letters: dict[str, int] | None) -> bytes:
    """The bytes of a vocabulary entry: byte-level BPE by `letters`, or SentencePiece."""
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
    letters = {chr(byte): byte for byte in printable}
    others = (byte for byte in range(0x100) if byte not in printable)
    return letters | {chr(0x100 + offset): byte for offset, byte in enumerate(others)}
