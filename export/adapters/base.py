"""What an adapter must fit: the architecture, sizes and matrices of the model below it.

A base is read from a Hugging Face folder or from a GGUF file; only headers are read. Matrices are
named as GGUF names them, so that both say the same of one model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skerry.export.adapters.tensors import read_folder
from skerry.export.errors import MissingExtra, SourceRefused, Unsupported

ARCHITECTURES: Mapping[str, str] = {
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma": "gemma",
    "gemma2": "gemma2",
    "gemma3_text": "gemma3",
}
"""llama.cpp's architecture by Hugging Face's `model_type`, where every matrix has a name of its own
and is stored as it is, but for the queries and keys of `llama`."""

PERMUTED = "llama"
"""The architecture whose queries and keys GGUF stores in another order (`permuted`)."""

_MOST_LAYERS = 512


@dataclass(frozen=True, slots=True)
class Base:
    """A model. `shapes` is (outputs, inputs) of each matrix by its GGUF name without `.weight`."""

    name: str
    architecture: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    vocabulary: int
    shapes: Mapping[str, tuple[int, int]]

    def fingerprint(self) -> dict[str, int | str]:
        """What is the same of a model however its weights are stored."""
        return {
            "architecture": self.architecture,
            "layers": self.layers,
            "width": self.width,
            "heads": self.heads,
            "kv_heads": self.kv_heads,
            "vocabulary": self.vocabulary,
        }

    def place(self, module: str) -> str:
        """The GGUF name, without `.weight`, of a module such as `model.layers.0.mlp.up_proj`.

        Raises:
            SourceRefused: this base has no such matrix.
        """
        name = _names(self.architecture, self.layers).get_name(module)
        if name is None or name not in self.shapes:
            raise SourceRefused(
                f"the base '{self.name}' has no matrix '{module}'",
                hint="give the model that the adapter was trained on with --source",
            )
        return str(name)


def read_base(source: Path) -> Base:
    """Opens a GGUF file or a Hugging Face folder.

    Raises:
        SourceRefused: it is neither, or damaged.
        Unsupported: it is of an architecture that adapters cannot be made for.
    """
    if source.is_file():
        return _of_gguf(source)
    if (source / "config.json").is_file():
        return _of_folder(source)
    raise SourceRefused(
        f"'{source}' is neither a GGUF file nor a Hugging Face folder with a config.json",
        hint="give the path of one of the two with --source",
    )


def read_json(file: Path, *, most_bytes: int = 1 << 22) -> dict[str, Any]:
    """An object in a JSON file.

    Raises:
        SourceRefused: there is no such file, it is too large, or it is no JSON object.
    """
    try:
        if file.stat().st_size > most_bytes:
            raise SourceRefused(f"'{file}' is larger than {most_bytes:,} bytes")
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise SourceRefused(f"'{file}' cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SourceRefused(f"'{file}' is not JSON") from error
    if not isinstance(value, dict):
        raise SourceRefused(f"'{file}' is not a JSON object")
    return value


def _of_folder(folder: Path) -> Base:
    config = read_json(folder / "config.json")
    architecture = _architecture(str(config.get("model_type")), folder)
    heads = _size(config, "num_attention_heads", folder)
    layers = _size(config, "num_hidden_layers", folder)
    stored = read_folder(folder).stored
    found = {key.removesuffix(".weight"): one.shape for key, one in stored.items()}
    return Base(
        name=folder.resolve().name,
        architecture=architecture,
        layers=layers,
        width=_size(config, "hidden_size", folder),
        heads=heads,
        kv_heads=_size({"num_key_value_heads": heads} | config, "num_key_value_heads", folder),
        vocabulary=_size(config, "vocab_size", folder),
        shapes=_named(found, architecture, layers),
    )


def _named(
    found: Mapping[str, tuple[int, ...]], architecture: str, layers: int
) -> dict[str, tuple[int, int]]:
    names = _names(architecture, layers)
    placed = ((names.get_name(module), shape) for module, shape in found.items())
    return {name: (shape[0], shape[1]) for name, shape in placed if name and len(shape) == 2}


def _architecture(kind: str, folder: Path) -> str:
    if kind not in ARCHITECTURES:
        raise Unsupported(
            f"'{folder}' is of the kind '{kind}', for which adapters cannot be made",
            hint=f"supported are {', '.join(ARCHITECTURES)}",
        )
    return ARCHITECTURES[kind]


def _size(config: Mapping[str, Any], key: str, place: Path) -> int:
    value = config.get(key)
    most = _MOST_LAYERS if "layers" in key or "block" in key else 1 << 24
    if type(value) is not int or not 0 < value <= most:
        raise SourceRefused(f"'{place}' does not say a sane '{key}': {value!r}")
    return value


def _of_gguf(file: Path) -> Base:
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise MissingExtra("gguf is not installed", hint="pip install 'skerry[export]'") from error
    try:
        reader = GGUFReader(str(file))
        facts = {
            key: field.contents()
            for key, field in reader.fields.items()
            if not key.startswith("tokenizer.") or key == "tokenizer.ggml.model"
        }
        tokens = reader.fields.get("tokenizer.ggml.tokens")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise SourceRefused(f"'{file}' is not a whole GGUF file: {error}") from error
    return _of_facts(file, facts, len(tokens.data) if tokens else 0, reader.tensors)


def _of_facts(file: Path, facts: Mapping[str, Any], tokens: int, tensors: Any) -> Base:
    architecture = str(facts.get("general.architecture"))
    if architecture not in ARCHITECTURES.values() or facts.get("general.type") == "adapter":
        raise Unsupported(
            f"'{file}' is no model of an architecture that adapters can be made for",
            hint=f"supported are {', '.join(sorted(set(ARCHITECTURES.values())))}",
        )
    own = {key.removeprefix(f"{architecture}."): value for key, value in facts.items()}
    heads = _size(own, "attention.head_count", file)
    own.setdefault("attention.head_count_kv", heads)
    own.setdefault("vocab_size", tokens)
    shapes = {
        one.name.removesuffix(".weight"): (int(one.shape[1]), int(one.shape[0]))
        for one in tensors
        if len(one.shape) == 2
    }
    return Base(
        name=str(facts.get("general.name", file.stem)),
        architecture=architecture,
        layers=_size(own, "block_count", file),
        width=_size(own, "embedding_length", file),
        heads=heads,
        kv_heads=_size(own, "attention.head_count_kv", file),
        vocabulary=_size(own, "vocab_size", file),
        shapes=shapes,
    )


def _names(architecture: str, layers: int) -> Any:
    try:
        from gguf import MODEL_ARCH_NAMES, get_tensor_name_map
    except ImportError as error:
        raise MissingExtra("gguf is not installed", hint="pip install 'skerry[export]'") from error
    kinds = {name: kind for kind, name in MODEL_ARCH_NAMES.items()}
    return get_tensor_name_map(kinds[architecture], layers)
