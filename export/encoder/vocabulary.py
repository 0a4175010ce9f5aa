"""Leaves BERT's 994 placeholder tokens out: no text can produce one, and each costs 388 bytes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_PLACEHOLDER = re.compile(r"\[unused\d+\]")


def read_tokenizer(path: Path) -> dict[str, Any]:
    """The document of a tokenizer.json, without padding and truncation."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {**document, "padding": None, "truncation": None}


def used_ids(document: dict[str, Any]) -> list[int]:
    """The ids of the tokens that text can produce, ascending."""
    vocabulary: dict[str, int] = document["model"]["vocab"]
    return sorted(i for token, i in vocabulary.items() if not _PLACEHOLDER.fullmatch(token))


def renumbered(document: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    """A copy in which the token with id `kept[i]` has id `i`, and the others are gone."""
    new = {old: i for i, old in enumerate(kept)}
    result: dict[str, Any] = json.loads(json.dumps(document))
    vocabulary = result["model"]["vocab"]
    result["model"]["vocab"] = {token: new[i] for token, i in vocabulary.items() if i in new}
    for token in result["added_tokens"]:
        token["id"] = new[token["id"]]
    for special in result["post_processor"]["special_tokens"].values():
        special["ids"] = [new[i] for i in special["ids"]]
    return result
