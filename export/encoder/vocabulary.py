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


def pruned(document: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """The document without placeholders, and the ids kept.

    Only WordPiece with a template is understood; any other keeps all of its tokens.
    """
    processor = document.get("post_processor") or {}
    if document["model"].get("type") == "WordPiece" and "special_tokens" in processor:
        kept = used_ids(document)
        return renumbered(document, kept), kept
    return document, sorted(document["model"]["vocab"].values())
