"""Which of llama.cpp's pre-tokenizers a tokenizer.json uses.

llama.cpp knows them by name (`tokenizer.ggml.pre`) and has their expressions built in
(src/llama-vocab.cpp), so a name must be found for what the file says. The names that a file's
steps suggest come first; `token_check.py` decides which of them gives the same ids.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skerry.export.errors import Unsupported

_BY_EXPRESSION = (
    (r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s", ("gpt-4o",)),
    (r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}", ("tekken", "gpt-4o")),
    (r"[\p{L}\p{M}]+|\p{N}|", ("qwen35",)),
    (r"\p{L}+|\p{N}{1,3}|", ("llama-bpe", "dbrx", "smaug-bpe")),
    (r"\p{L}+|\p{N}|", ("qwen2", "stablelm2")),
)
"""A part of the expression of a Split step, and the names that split so; some of them ignore merges
for whole words, others do not."""


def candidates(raw: dict[str, Any], path: Path) -> tuple[str, ...]:
    """Names for a byte-level tokenizer, the likeliest first.

    Raises:
        Unsupported: its steps are unlike any that are known here.
    """
    steps = _steps(raw.get("pre_tokenizer"))
    kinds = [step.get("type") for step in steps]
    if kinds == ["ByteLevel"] and steps[0].get("use_regex", True):
        return ("gpt-2", "olmo", "mpt")
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return ("smollm", "starcoder", "command-r")
    if kinds == ["Split", "ByteLevel"]:
        expression = json.dumps(steps[0].get("pattern"), ensure_ascii=False).replace("\\\\", "\\")
        for part, names in _BY_EXPRESSION:
            if part in expression:
                return names
    raise Unsupported(
        f"'{path}' splits texts in a way that llama.cpp has no name for: {kinds}",
        hint="give a GGUF file that another tool made",
    )


def _steps(splitter: Any) -> list[dict[str, Any]]:
    if not isinstance(splitter, dict):
        return []
    if splitter.get("type") == "Sequence":
        return [step for step in splitter.get("pretokenizers", []) if isinstance(step, dict)]
    return [splitter]
