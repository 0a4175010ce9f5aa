"""Reads tokenizer.json and writes it as a GGUF vocabulary: byte-level or SentencePiece BPE.

What is written is not trusted: `token_check.py` compares llama.cpp's ids with those of the package
`tokenizers`. GGUF keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md#tokenizer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused, Unsupported
from skerry.export.gguf.pre_tokenizers import candidates
from skerry.export.gguf.special import Special, read_special
from skerry.export.gguf.tokenizer_json import load_json

FILE = "tokenizer.json"


class TokenType(IntEnum):
    """`llama_token_type` (llama.h)."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer as GGUF states it.

    Attributes:
        model: "gpt2" for byte-level BPE, "llama" for SentencePiece.
        pres: which of llama.cpp's pre-tokenizers it may be, the likeliest first.
        scores: one for each token of a SentencePiece vocabulary.
        merges: pairs with a blank between, of a byte-level one.
        space_prefix: a blank is put before a text.
        folds: its normalizer makes texts NFC, which llama.cpp does not.
    """

    folder: Path
    model: str
    pres: tuple[str, ...]
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    special: Special
    space_prefix: bool | None = None
    folds: bool = False

    def write(self, writer: Any) -> None:
        """Adds the keys of a GGUF file, with the first candidate."""
        writer.add_tokenizer_model(self.model)
        writer.add_tokenizer_pre(self.pres[0])
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        if self.scores:
            writer.add_token_scores(self.scores)
        if self.merges:
            writer.add_token_merges(self.merges)
        if self.space_prefix is not None:
            writer.add_add_space_prefix(self.space_prefix)
        self.special.write(writer)


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """The tokenizer of a model whose embedding has `size` rows.

    Raises:
        SourceRefused: no tokenizer.json, damaged, or of another model.
        Unsupported: a kind of tokenizer that GGUF or this export does not have.
    """
    path = folder / FILE
    raw = load_json(path)
    model = raw.get("model")
    if not isinstance(model, dict) or model.get("type") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else None
        raise Unsupported(
            f"'{path}' is a tokenizer of the kind {kind!r}; BPE can be written as GGUF here",
            hint="or give a GGUF file that another tool made",
        )
    ids, added = _ids(path, raw, model)
    tokens, types = _listed(path, ids, added, size)
    if model.get("byte_fallback"):
        return _sentencepiece(folder, raw, tokens, types)
    return _byte_level(folder, raw, tokens, types)


def _ids(
    path: Path, raw: dict[str, Any], model: dict[str, Any]
) -> tuple[dict[int, str], dict[int, dict[str, Any]]]:
    """Texts by id, and of those the added tokens' entries."""
    vocabulary, entries = model.get("vocab"), raw.get("added_tokens") or []
    if not isinstance(vocabulary, dict) or not all(type(one) is int for one in vocabulary.values()):
        raise _damaged(path, "it has no vocabulary of texts to ids")
    ids = {number: text for text, number in vocabulary.items()}
    if len(ids) < len(vocabulary):
        raise _damaged(path, "two tokens have one id")
    try:
        added = {int(entry["id"]): entry for entry in entries}
        ids |= {number: str(entry["content"]) for number, entry in added.items()}
    except (TypeError, KeyError, ValueError) as error:
        raise _damaged(path, "its added tokens are damaged") from error
    return ids, added


def _listed(
    path: Path, ids: dict[int, str], added: Mapping[int, dict[str, Any]], size: int
) -> tuple[tuple[str, ...], list[int]]:
    """Texts and types in the order of ids; rows of the embedding without a token are unused."""
    if not ids or min(ids) < 0 or max(ids) >= size:
        raise SourceRefused(
            f"'{path}' has token {max(ids, default=0)}; the model's embedding has {size} rows",
            hint="the tokenizer and the weights are of two models",
        )
    tokens = tuple(ids.get(number, f"[PAD{number}]") for number in range(size))
    if len(set(tokens)) < size:
        raise _damaged(path, "two ids have one text")
    return tokens, [_type(number, ids, added) for number in range(size)]


def _type(number: int, ids: Mapping[int, str], added: Mapping[int, dict[str, Any]]) -> int:
    if number not in ids:
        return TokenType.UNUSED
    if number not in added:
        return TokenType.NORMAL
    return TokenType.CONTROL if added[number].get("special") else TokenType.USER_DEFINED


def _byte_level(
    folder: Path, raw: dict[str, Any], tokens: tuple[str, ...], types: list[int]
) -> Vocabulary:
    return Vocabulary(
        folder=folder,
        model="gpt2",
        pres=candidates(raw, folder / FILE),
        tokens=tokens,
        types=tuple(types),
        scores=(),
        merges=tuple(" ".join(pair) for pair in _merges(raw, folder / FILE)),
        special=read_special(folder, tokens),
        folds=_folds(raw, folder / FILE),
    )


def _folds(raw: dict[str, Any], path: Path) -> bool:
    normalizer = raw.get("normalizer")
    if normalizer is None or normalizer == {"type": "Sequence", "normalizers": []}:
        return False
    if isinstance(normalizer, dict) and normalizer.get("type") == "NFC":
        return True
    raise Unsupported(f"'{path}' changes texts in a way that llama.cpp does not: {normalizer!r}")


def _merges(raw: dict[str, Any], path: Path) -> list[tuple[str, str]]:
    """Pairs; files have them as lists of two, older ones as a text with a blank."""
    rows = raw["model"].get("merges")
    if not isinstance(rows, list):
        raise _damaged(path, "it has no merges")
    pairs = [tuple(row.split(" ", 1)) if isinstance(row, str) else tuple(row) for row in rows]
    if not all(len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in pairs):
        raise _damaged(path, "a merge is no pair of texts")
    return [(pair[0], pair[1]) for pair in pairs]


def _sentencepiece(
    folder: Path, raw: dict[str, Any], tokens: tuple[str, ...], types: list[int]
) -> Vocabulary:
    """Ranks of merges become scores: SentencePiece joins the pair whose result scores highest."""
    path = folder / FILE
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(_merges(raw, path)):
        ranks.setdefault(left + right, rank)
    unknown = raw["model"].get("unk_token")
    for number, token in enumerate(tokens):
        if token == unknown:
            types[number] = TokenType.UNKNOWN
        elif types[number] == TokenType.NORMAL and _is_byte(token):
            types[number] = TokenType.BYTE
    return Vocabulary(
        folder=folder,
        model="llama",
        pres=("default",),
        tokens=tokens,
        types=tuple(types),
        scores=tuple(-float(ranks.get(token, len(ranks))) for token in tokens),
        merges=(),
        special=read_special(folder, tokens),
        space_prefix=_prefixed(raw),
    )


def _is_byte(token: str) -> bool:
    """`<0x0A>` and the like."""
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def _prefixed(raw: dict[str, Any]) -> bool:
    """Whether a blank is put before a text: by the normalizer, or in newer files by Metaspace."""
    normalizer, splitter = raw.get("normalizer") or {}, raw.get("pre_tokenizer") or {}
    steps = [normalizer, *normalizer.get("normalizers", [])]
    if any(step.get("type") == "Prepend" for step in steps):
        return True
    scheme = splitter.get("prepend_scheme", "always" if splitter.get("add_prefix_space") else "")
    return splitter.get("type") == "Metaspace" and scheme in {"first", "always"}


def _damaged(path: Path, what: str) -> SourceRefused:
    return SourceRefused(f"'{path}' is damaged: {what}", hint="fetch it again")
