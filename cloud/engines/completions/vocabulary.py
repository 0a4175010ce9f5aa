"""The target's tokens, from a file beside it: no server of the completions API lists them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from skerry.cloud.engines.base import Spelling
from skerry.cloud.engines.spelling import PieceSpelling
from skerry.cloud.errors import TargetError
from skerry.cloud.hints.vocabulary import digest

SAMPLE = "The sea between the rocks was quiet"
"""Tokenised on both sides to see whether a file and a server belong together."""
UNKNOWN_SIZE = 2**31 - 1
_MOST_TOKENS = 1 << 21


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """See `skerry.cloud.engines.base.TargetFacts`; `sample` are the ids of `SAMPLE`. `spelling`
    makes text of tokens, given those that end an answer; None: nobody knows their texts."""

    digest: bytes
    size: int
    ends: frozenset[int]
    sample: tuple[int, ...]
    spelling: Callable[[frozenset[int]], Spelling] | None = None


class JsonSpelling:
    """See `skerry.cloud.engines.base.Spelling`. Special tokens say nothing.

    Args:
        tokenizer: of the `tokenizers` library.
        ends: tokens that end an answer.
    """

    def __init__(self, tokenizer: Any, ends: frozenset[int]) -> None:
        from tokenizers.decoders import DecodeStream

        self._tokenizer, self._ends = tokenizer, ends
        self._stream = DecodeStream(skip_special_tokens=True)

    async def feed(self, tokens: Sequence[int]) -> str:
        said = (self._stream.step(self._tokenizer, one) for one in tokens if one not in self._ends)
        return "".join(one or "" for one in said)


UNKNOWN = Vocabulary(b"", UNKNOWN_SIZE, frozenset(), ())


def read_vocabulary(path: Path) -> Vocabulary:
    """From a GGUF model, a Hugging Face folder, or the tokenizer.json in one.

    Raises:
        TargetError: it is none of these, or is damaged.
    """
    if path.is_dir():
        path /= "tokenizer.json"
    if not path.is_file():
        raise TargetError(
            f"there is no tokenizer {path}",
            hint="give the target's tokenizer.json, its folder, or a GGUF model with its tokens",
        )
    return _of_json(path) if path.suffix == ".json" else _of_gguf(path)


def _of_gguf(path: Path) -> Vocabulary:
    from skerry.cloud.engines.llama.native import Model

    model = Model(path, vocabulary_only=True)
    try:
        sample = tuple(model.tokenized(SAMPLE))
        pieces = [model.piece(token) for token in range(model.size)]
        spelling = partial(PieceSpelling, pieces.__getitem__)
        return Vocabulary(model.vocabulary(), model.size, model.ends(), sample, spelling)
    finally:
        model.close()


def _of_json(path: Path) -> Vocabulary:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # it has no class of its own
        raise TargetError(
            f"{path} is no tokenizer: {error}", hint="give an undamaged tokenizer.json"
        ) from error
    ids = {token: text for text, token in tokenizer.get_vocab(with_added_tokens=True).items()}
    configs = [_config(path.with_name(name)) for name in ("config.json", "generation_config.json")]
    size = max(max(ids, default=-1) + 1, _whole(configs[0].get("vocab_size")))
    texts = (ids.get(token, f"[PAD{token}]").encode() for token in range(size))
    ends = {end for config in configs for end in _ids(config.get("eos_token_id"))}
    ends |= _named_end(tokenizer, _config(path.with_name("tokenizer_config.json")))
    sample = tuple(tokenizer.encode(SAMPLE, add_special_tokens=False).ids)
    spelling = partial(JsonSpelling, tokenizer)
    return Vocabulary(digest(texts), size, frozenset(ends), sample, spelling)


def _config(path: Path) -> dict[str, Any]:
    """A file of the model's folder; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{path} is no JSON: {error}", hint="fetch it again") from error
    return config if isinstance(config, dict) else {}


def _named_end(tokenizer: Any, config: dict[str, Any]) -> set[int]:
    named = config.get("eos_token")
    text = named.get("content") if isinstance(named, dict) else named
    token = tokenizer.token_to_id(text) if isinstance(text, str) else None
    return set() if token is None else {token}


def _ids(value: Any) -> list[int]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if _whole(one) == one and isinstance(one, int)]


def _whole(value: Any) -> int:
    """A number of tokens that can be; else 0."""
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS
    return value if usable else 0
