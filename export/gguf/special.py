"""First, last and other tokens with a meaning, and the chat template of a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused
from skerry.export.gguf.tokenizer_json import load_json

_CONFIG, _GENERATION, _MODEL = "tokenizer_config.json", "generation_config.json", "config.json"
_TEMPLATE = "chat_template.jinja"
_MAX_TEMPLATE_BYTES = 1 << 20
_NAMES = {
    "bos": "add_bos_token_id", "eos": "add_eos_token_id", "unk": "add_unk_token_id",
    "pad": "add_pad_token_id", "eot": "add_eot_token_id",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Special:
    """`ids` by name ("bos", "eos", "eot", "unk", "pad"); `adds` which of them every text gets."""

    ids: dict[str, int]
    adds_bos: bool
    adds_eos: bool
    template: str | None

    def write(self, writer: Any) -> None:
        for name, number in self.ids.items():
            getattr(writer, _NAMES[name])(number)
        writer.add_add_bos_token(self.adds_bos)
        writer.add_add_eos_token(self.adds_eos)
        if self.template:
            writer.add_chat_template(self.template)


def read_special(folder: Path, tokens: Sequence[str]) -> Special:
    """From tokenizer_config.json by text, else from generation_config.json and config.json by id.

    Raises:
        SourceRefused: a file is damaged, or the tokenizer cannot be loaded.
    """
    by_text = {token: number for number, token in enumerate(tokens)}
    config = _optional(folder / _CONFIG)
    ids = {}
    for name in ("bos", "eos", "unk", "pad"):
        text = _text(config.get(f"{name}_token"))
        number = by_text.get(text) if text else _number(folder, name, len(tokens))
        if number is not None:
            ids[name] = number
    others = [one for one in _ends(folder, len(tokens)) if one != ids.get("eos")]
    if others:
        ids["eot"] = others[0]
    first, last = _added(folder, ids)
    return Special(ids, first, last, _template(folder, config))


def _optional(path: Path) -> dict[str, Any]:
    return load_json(path) if path.is_file() else {}


def _text(value: Any) -> str | None:
    """Of an entry that is a text, or an object with one."""
    value = value.get("content") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _number(folder: Path, name: str, size: int) -> int | None:
    for file in (_GENERATION, _MODEL):
        value = _optional(folder / file).get(f"{name}_token_id")
        value = value[0] if isinstance(value, list) and value else value
        if type(value) is int and 0 <= value < size:
            return value
    return None


def _ends(folder: Path, size: int) -> list[int]:
    """All tokens that end an answer."""
    value = _optional(folder / _GENERATION).get("eos_token_id")
    numbers = value if isinstance(value, list) else [value]
    return [one for one in numbers if type(one) is int and 0 <= one < size]


def _added(folder: Path, ids: dict[str, int]) -> tuple[bool, bool]:
    """Whether the tokenizer puts its first and last token around a text."""
    tokenizer = load_tokenizer(folder)
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    whole = tokenizer.encode("a", add_special_tokens=True).ids
    return whole[:1] == [ids.get("bos")] != plain[:1], whole[-1:] == [ids.get("eos")] != plain[-1:]


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer by the package `tokenizers`; SourceRefused when that cannot read it."""
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises plain Exception
        raise SourceRefused(f"'{path}' is damaged: {error}", hint="fetch it again") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _template(folder: Path, config: dict[str, Any]) -> str | None:
    """Of a file of its own, or of the tokenizer's config: one text, or several with names."""
    path = folder / _TEMPLATE
    if path.is_file():
        if path.stat().st_size > _MAX_TEMPLATE_BYTES:
            raise SourceRefused(f"'{path}' is larger than any chat template")
        return path.read_text("utf-8")
    said = config.get("chat_template")
    if isinstance(said, list):
        named = {
            entry.get("name"): entry.get("template") for entry in said if isinstance(entry, dict)
        }
        said = named.get("default")
    return said if isinstance(said, str) else None
