"""Reads a model's config.json: sizes, RoPE, and whether llama.cpp computes the same.

What a config says that this export does not know is refused, not guessed: a model that runs and is
subtly another is worse than none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused

FILE = "config.json"
_MAX_BYTES = 10_000_000
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Rope:
    """`kind` is "default", "linear", "yarn" or "llama3"; `facts` its parameters."""

    theta: float
    kind: str
    facts: dict[str, Any]

    def number(self, key: str, default: float | None = None) -> float:
        """A parameter; SourceRefused where it is needed and not there."""
        value = self.facts.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise _refused(f"the RoPE scaling '{self.kind}' has {key} = {value!r}")
        return float(value)


@dataclass(frozen=True, slots=True)
class Config:
    """What config.json says; sizes in values, `context` in tokens."""

    architecture: str
    layers: int
    hidden: int
    inner: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    tied: bool
    rope: Rope
    raw: dict[str, Any]


def read_config(folder: Path) -> Config:
    """Raises SourceRefused: no config, damaged, or of a model that is quantized already."""
    raw = read_json(folder / FILE)
    names = raw.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        raise _refused(f"'{folder / FILE}' does not name one architecture")
    if raw.get("quantization_config"):
        raise SourceRefused(
            f"the model in '{folder}' is quantized already",
            hint="export from the model in float, before it was quantized",
        )
    heads = _size(raw, "num_attention_heads")
    hidden = _size(raw, "hidden_size")
    return Config(
        architecture=names[0],
        layers=_size(raw, "num_hidden_layers"),
        hidden=hidden,
        inner=_size(raw, "intermediate_size"),
        heads=heads,
        kv_heads=_size(raw, "num_key_value_heads", heads),
        head=_size(raw, "head_dim", hidden // heads),
        vocabulary=_size(raw, "vocab_size"),
        context=_size(raw, "max_position_embeddings"),
        epsilon=_epsilon(raw),
        tied=bool(raw.get("tie_word_embeddings", False)),
        rope=_rope(raw),
        raw=raw,
    )


def read_json(path: Path) -> dict[str, Any]:
    """An object of a small file; SourceRefused when it is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _refused(f"'{path}' is larger than any such file")
        parsed = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _refused(f"there is no '{path}'") from error
    except (ValueError, RecursionError) as error:
        raise _refused(f"'{path}' is damaged: {error}") from error
    if not isinstance(parsed, dict):
        raise _refused(f"'{path}' is no JSON object")
    return parsed


def _size(raw: dict[str, Any], key: str, default: int | None = None) -> int:
    value = raw.get(key)
    value = default if value is None else value
    if type(value) is not int or not 1 <= value <= _LARGEST:
        raise _refused(f"config.json has {key} = {value!r}")
    return value


def _epsilon(raw: dict[str, Any]) -> float:
    value = raw.get("rms_norm_eps")
    if not isinstance(value, float) or not 0 < value < 1:
        raise _refused(f"config.json has rms_norm_eps = {value!r}")
    return value


def _rope(raw: dict[str, Any]) -> Rope:
    """transformers 5 keeps all under rope_parameters; before, rope_theta stood beside
    rope_scaling."""
    facts = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(facts, dict):
        raise _refused(f"config.json has RoPE parameters {facts!r}")
    theta = facts.get("rope_theta", raw.get("rope_theta", 10_000.0))
    if isinstance(theta, bool) or not isinstance(theta, int | float) or not theta > 0:
        raise _refused(f"config.json has rope_theta = {theta!r}")
    kind = facts.get("rope_type", facts.get("type", "default"))
    return Rope(float(theta), str(kind), dict(facts))


def _refused(what: str) -> SourceRefused:
    return SourceRefused(what, hint="fetch the model's files again")
