"""The text that variants are measured on: own-written, never trained or calibrated on.

Prose, code, records (JSON, TOML, CSV), chat and clinical questions; some 3,500 tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

WINDOW_TOKENS = 256
LEAST_TOKENS = 32
"""A rest of a text that is shorter than this says too little."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Token ids that are read from an empty context."""

    text: str
    ids: tuple[int, ...]


@cache
def held_texts() -> Mapping[str, str]:
    """The texts, by name."""
    folder = files("skerry.export.measure") / "held"
    found = sorted(folder.iterdir(), key=lambda one: one.name)
    return {
        one.name.removesuffix(".txt"): one.read_text("utf-8")
        for one in found
        if one.name.endswith(".txt")
    }


def held_digest() -> str:
    """SHA-256 over the texts, the window and the names: figures of two texts are not compared."""
    total = hashlib.sha256(f"{WINDOW_TOKENS}".encode())
    for name, text in held_texts().items():
        total.update(f"\0{name}\0{text}".encode())
    return total.hexdigest()


def stretches(
    tokenize: Callable[[str], list[int]], window: int = WINDOW_TOKENS
) -> tuple[Stretch, ...]:
    """The held texts in windows of at most `window` tokens."""
    return tuple(
        Stretch(name, tuple(ids[start : start + window]))
        for name, text in held_texts().items()
        for ids in (tokenize(text),)
        for start in range(0, len(ids), window)
        if len(ids) - start >= LEAST_TOKENS
    )


def held_sentences() -> tuple[str, ...]:
    """Sentences of prose and clinical text, for encoders."""
    texts = held_texts()
    joined = " ".join((texts["prose"] + texts["clinical"]).split())
    return tuple(one.strip() for one in joined.split(". ") if len(one) > 20)
