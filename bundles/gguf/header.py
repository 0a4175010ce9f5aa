"""What a GGUF model says of itself, and whether llama.cpp may be shown it.

Needs no llama.cpp: `skerry doctor` reads headers for its will-it-fit table. Values that would
make llama.cpp abort the process are refused here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from skerry.bundles.gguf.container import Gguf, Value, read_gguf
from skerry.bundles.gguf.errors import GgufInvalid
from skerry.bundles.gguf.ggml import FILE_TYPES, TYPES_BY_NAME

_RANGES = {
    "block_count": (1, 512),
    "context_length": (1, 2**31 - 1),
    "embedding_length": (1, 2**20),
    "attention.head_count": (1, 4096),
    "attention.head_count_kv": (1, 4096),
    "attention.key_length": (1, 65536),
    "attention.value_length": (1, 65536),
    "feed_forward_length": (1, 2**24),
}
"""Sane values, by key without the architecture's prefix; llama.cpp divides by some of them."""

_EPSILONS = ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon")
"""From 0 to 1; llama.cpp aborts on others."""

_TOKENS = "tokenizer.ggml.tokens"

_NOT_MODELS = {
    "adapter": "it is a LoRA adapter; name it in EngineOptions.adapters",
    "mmproj": "it is the vision part of a model; give the language model",
    "clip": "it is the vision part of a model; give the language model",
}


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The facts of a model file.

    `kv_values` is the number of values that one token adds to the KV cache: keys and values of all
    layers. `token_bytes` bounds the bytes of the longest token. Counts that a file does not state
    are 0.
    """

    path: Path
    size_bytes: int
    architecture: str
    kind: str
    name: str
    licence: str | None
    parameters: int
    layers: int
    embedding: int
    heads: int
    kv_heads: int
    head_size: int
    kv_values: int
    context_tokens: int
    vocabulary: int
    token_bytes: int
    quantization: str
    tensors: int
    metadata: Mapping[str, Value]

    def kv_bytes(self, context_tokens: int, kv_type: str = "f16") -> int:
        """Bytes of KV cache for `context_tokens` tokens.

        Sliding-window and latent-attention models need less than this.

        Raises:
            KeyError: no such ggml type.
        """
        return TYPES_BY_NAME[kv_type].size_bytes(self.kv_values * context_tokens)


def read_header(path: Path) -> GgufHeader:
    """The header of a GGUF file, every length checked against the file's size.

    Raises:
        GgufNotFound: there is no such file.
        GgufInvalid: not GGUF, cut off, damaged, or with values that no model has.
        GgufUnreadable: it cannot be read.
    """
    return _header(read_gguf(path))


def check_model(header: GgufHeader) -> None:
    """Raises GgufInvalid unless the file is a whole model that could generate text."""
    if hint := _NOT_MODELS.get(header.kind) or _NOT_MODELS.get(header.architecture):
        raise GgufInvalid(f"{header.path} is not a language model", hint=hint)
    if not header.tensors:
        raise GgufInvalid(f"{header.path} has no weights", hint="it may be a vocabulary alone")
    for key in ("block_count", "context_length", "embedding_length", "attention.head_count"):
        if f"{header.architecture}.{key}" not in header.metadata:
            raise GgufInvalid(
                f"{header.path} does not say its {header.architecture}.{key}",
                hint="convert the model again with a recent converter",
            )


def _header(file: Gguf) -> GgufHeader:
    facts = _Facts(file)
    facts.check_epsilons()
    layers = facts.number("block_count")
    heads = facts.number("attention.head_count")
    embedding = facts.number("embedding_length")
    head_size = facts.number("attention.key_length") or (embedding // heads if heads else 0)
    per_layer = facts.per_layer("attention.head_count_kv", layers, default=heads)
    value_size = facts.number("attention.value_length") or head_size
    return GgufHeader(
        path=file.path,
        size_bytes=file.size_bytes,
        architecture=facts.architecture,
        kind=facts.text("general.type") or "model",
        name=facts.text("general.name") or file.path.stem,
        licence=facts.text("general.license") or None,
        parameters=sum(tensor.values for tensor in file.tensors),
        layers=layers,
        embedding=embedding,
        heads=heads,
        kv_heads=max(per_layer, default=0),
        head_size=head_size,
        kv_values=sum(per_layer) * (head_size + value_size),
        context_tokens=facts.number("context_length"),
        vocabulary=file.lengths.get(_TOKENS, 0),
        token_bytes=_token_bytes(file),
        quantization=_quantization(file),
        tensors=len(file.tensors),
        metadata=file.metadata,
    )


class _Facts:
    """Typed look-ups in the metadata of one file."""

    def __init__(self, file: Gguf) -> None:
        self._file = file
        self.architecture = self.text("general.architecture")
        if not self.architecture:
            raise GgufInvalid(
                f"{file.path} does not name its architecture",
                hint="convert the model again with a recent converter",
            )

    def text(self, key: str) -> str:
        value = self._file.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """The value, or the largest of an array with one for each layer; 0 if not stated."""
        return max(self._numbers(key), default=0)

    def per_layer(self, key: str, layers: int, *, default: int) -> tuple[int, ...]:
        numbers = self._numbers(key)
        if len(numbers) == layers:
            return numbers
        return (numbers[0] if numbers else default,) * layers

    def _numbers(self, key: str) -> tuple[int, ...]:
        """Layers of hybrid models may have no heads at all, so an array may hold zeros."""
        value = self._file.metadata.get(f"{self.architecture}.{key}")
        if value is None:
            return ()
        low, high = _RANGES[key]
        numbers = value if isinstance(value, tuple) else (value,)
        whole = tuple(number for number in numbers if isinstance(number, int))
        least = 0 if isinstance(value, tuple) else low
        if len(whole) < len(numbers) or not whole or not least <= min(whole) <= max(whole) <= high:
            raise self._absurd(key, value)
        return whole

    def check_epsilons(self) -> None:
        for key in _EPSILONS:
            value = self._file.metadata.get(f"{self.architecture}.{key}", 0.0)
            if not isinstance(value, float) or not 0 <= value <= 1:
                raise self._absurd(key, value)

    def _absurd(self, key: str, value: Value) -> GgufInvalid:
        return GgufInvalid(
            f"{self._file.path} says that its {self.architecture}.{key} is {value}",
            hint="the file is damaged or hostile; fetch it again and compare its digest",
        )


def _token_bytes(file: Gguf) -> int:
    """Bytes of the longest token, at most; llama.cpp aborts on a token that is there twice."""
    tokens = file.strings.get(_TOKENS)
    if tokens is None:
        return 0
    if tokens.repeated:
        raise GgufInvalid(
            f"the vocabulary of {file.path} has a token twice",
            hint="the file is damaged; fetch it again and compare its digest",
        )
    return tokens.longest


def _quantization(file: Gguf) -> str:
    """The file type if it is stated, else the tensor type that fills most of the file."""
    stated = file.metadata.get("general.file_type")
    if isinstance(stated, int) and stated in FILE_TYPES:
        return FILE_TYPES[stated]
    sizes: Counter[str] = Counter()
    for tensor in file.tensors:
        sizes[tensor.kind.name] += tensor.size_bytes
    return sizes.most_common(1)[0][0].upper() if sizes else "unknown"
