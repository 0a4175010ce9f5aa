"""What is to be exported: a model's name, kind and shape, read without loading it.

A Hugging Face folder is read here, from `config.json` and the heads of its safetensors files. Of a
GGUF file the caller says what its header has: this package has no reader of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused
from skerry.export.exporter import Kind
from skerry.export.formats.sources import read_json, tensors, weight_files

_ENCODERS = frozenset(
    ["bert", "roberta", "xlm-roberta", "mpnet", "distilbert", "electra", "albert", "modernbert",
     "nomic_bert", "deberta-v2"]
)  # fmt: skip
_HINT = "give a GGUF file, or a Hugging Face folder with config.json and safetensors"
_CARD_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Subject:
    """A source model. `path` is a GGUF file or a folder; `size` that of its weights, in bytes.

    `kv_values` is how many values one token adds to the KV cache (0 of an encoder); `licence` an
    SPDX id, or "unknown".
    """

    name: str
    path: Path
    format: str
    kind: Kind
    architecture: str
    licence: str
    size: int
    parameters: int
    kv_values: int
    embedding: int
    feed_forward: int
    vocabulary: int
    context_tokens: int
    chat_template: str = ""

    @property
    def bits_per_weight(self) -> float:
        """Of the source as it is."""
        return 8 * self.size / max(self.parameters, 1)


def read_folder(path: Path) -> Subject:
    """What is in a Hugging Face folder.

    Raises:
        SourceRefused: it is none, or damaged; its weights are no safetensors.
    """
    if not (path / "config.json").is_file():
        raise SourceRefused(f"'{path}' is no model that can be exported", hint=_HINT)
    config = read_json(path / "config.json")
    listed = [tensor for file in weight_files(path) for tensor in tensors(file)]
    numbers = _Numbers(config, path)
    kind = _kind(config)
    return Subject(
        name=_name(path.resolve()),
        path=path,
        format="safetensors",
        kind=kind,
        architecture=str(config.get("model_type", "unknown")),
        licence=_licence(path / "README.md"),
        size=sum(tensor.end - tensor.start for tensor in listed),
        parameters=sum(prod(tensor.shape) for tensor in listed if tensor.dtype != "I64"),
        kv_values=_kv_values(numbers) if kind is Kind.LLM else 0,
        embedding=numbers.need("hidden_size"),
        feed_forward=numbers.need("intermediate_size"),
        vocabulary=numbers.need("vocab_size"),
        context_tokens=numbers.need("max_position_embeddings"),
        chat_template=_chat_template(path),
    )


def _name(path: Path) -> str:
    """The folder's; one that is called `model` goes by the folder around it."""
    return path.parent.name if path.name == "model" else path.name


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Whole numbers of a config.json, each checked."""

    config: Mapping[str, Any]
    path: Path

    def need(self, key: str) -> int:
        value = self.get(key)
        if value is None:
            what = f"'{self.path / 'config.json'}' does not say its {key}"
            raise SourceRefused(what, hint="fetch the model again, or give its GGUF file")
        return value

    def get(self, key: str) -> int | None:
        value = self.config.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1 << 31:
            what = f"'{self.path / 'config.json'}' says that its {key} is {str(value)[:40]}"
            raise SourceRefused(what, hint="the file is damaged; fetch it again")
        return value


def _kind(config: Mapping[str, Any]) -> Kind:
    return Kind.ENCODER if config.get("model_type") in _ENCODERS else Kind.LLM


def _kv_values(numbers: _Numbers) -> int:
    heads = numbers.need("num_attention_heads")
    head = numbers.get("head_dim") or numbers.need("hidden_size") // heads
    kv_heads = numbers.get("num_key_value_heads") or heads
    return 2 * numbers.need("num_hidden_layers") * kv_heads * head


def _licence(card: Path) -> str:
    """From the front matter of a model card, as Hugging Face writes it."""
    try:
        with card.open(encoding="utf-8") as file:
            lines = file.read(_CARD_BYTES).splitlines()
    except (OSError, UnicodeDecodeError):
        return "unknown"
    head = lines[1:] if lines[:1] == ["---"] else []
    for line in head:
        key, _, value = line.partition(":")
        if line == "---":
            break
        if key == "license" and value.strip():
            return value.strip()[:200]
    return "unknown"


def _chat_template(path: Path) -> str:
    file = path / "chat_template.jinja"
    if file.is_file() and file.stat().st_size < 1 << 20:
        return file.read_text("utf-8", errors="replace")
    if not (path / "tokenizer_config.json").is_file():
        return ""
    template = read_json(path / "tokenizer_config.json").get("chat_template")
    return template if isinstance(template, str) else ""
