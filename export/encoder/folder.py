"""What a sentence encoder's folder says of itself, in the layout of sentence-transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.errors import SourceRefused
from skerry.export.formats.sources import read_json

_POOLINGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
_PARTS = {"Transformer", "Pooling", "Normalize"}


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """`max_tokens`: how much it was trained to read; `pooling`: "mean" or "cls"."""

    folder: Path
    dimensions: int
    max_tokens: int
    pooling: str


def read_encoder(folder: Path) -> EncoderSource:
    """Reads a BERT-like encoder whose sentence vector is a mean, or that of the first token.

    Raises:
        SourceRefused: it is of another kind.
    """
    config = read_json(folder / "config.json")
    if config.get("model_type") != "bert":
        raise _refused(folder, f"is a model of type {config.get('model_type')!r}, not 'bert'")
    _check_parts(folder)
    return EncoderSource(
        folder=folder,
        dimensions=_positive(folder, config, "hidden_size"),
        max_tokens=_max_tokens(folder, config),
        pooling=_pooling(folder),
    )


def _check_parts(folder: Path) -> None:
    if not (folder / "tokenizer.json").is_file():
        raise _refused(folder, "has no tokenizer.json")
    if not (folder / "modules.json").is_file():
        return
    document = read_json(folder / "modules.json", kind=list)
    parts = {str(part.get("type", "")).rsplit(".", 1)[-1] for part in document}
    if parts - _PARTS:
        raise _refused(folder, f"has parts that are not taken: {sorted(parts - _PARTS)}")


def _pooling(folder: Path) -> str:
    file = folder / "1_Pooling" / "config.json"
    if not file.is_file():
        raise _refused(folder, "does not say how it pools (1_Pooling/config.json)")
    chosen = [mode for mode, on in read_json(file).items() if mode.startswith("pooling_") and on]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise _refused(folder, f"pools by {chosen}; can: {sorted(_POOLINGS)}")
    return _POOLINGS[chosen[0]]


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    file = folder / "sentence_bert_config.json"
    most = _positive(folder, config, "max_position_embeddings")
    said = read_json(file).get("max_seq_length") if file.is_file() else None
    return min(most, int(said)) if said else most


def _positive(folder: Path, config: dict[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < 1:
        raise _refused(folder, f"says {value!r} for {key}")
    return value


def _refused(folder: Path, what: str) -> SourceRefused:
    hint = "give a folder of sentence-transformers with a BERT, a mean or a first token, no more"
    return SourceRefused(f"'{folder}' {what}", hint=hint)
