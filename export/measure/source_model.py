"""Opens the source that variants are compared with: a GGUF file, or a Hugging Face folder.

A folder runs in torch with its safetensors in float32; pickles are never opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.errors import MissingExtra, SourceRefused
from skerry.export.exporter import Kind, Loaded, Logits, Vectors

_COUNTED = (".safetensors", ".json", ".gguf", ".model", ".txt")
_ENCODER_TOKENS = 256


def load_source(source: Path, kind: Kind) -> Loaded:
    """The source, ready to run.

    Raises:
        SourceRefused: it is neither a GGUF file nor a folder with safetensors.
        MissingExtra: a folder needs torch and transformers.
    """
    if source.is_file() and source.suffix == ".gguf" and kind is Kind.LLM:
        from skerry.export.measure.llama import LlamaModel

        return LlamaModel(source)
    if not source.is_dir() or not any(source.glob("*.safetensors")):
        raise SourceRefused(
            f"'{source}' is no GGUF file and no folder with safetensors",
            hint="name the model that the variants were made from",
        )
    return _TorchLlm(source) if kind is Kind.LLM else _TorchEncoder(source)


def source_digest(source: Path) -> str:
    """SHA-256 over the names and bytes of what a source is made of.

    Raises:
        SourceRefused: there is nothing to read.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*")) if source.is_dir() else []
    counted = [path for path in files if path.is_file() and path.suffix in _COUNTED]
    if not counted:
        raise SourceRefused(f"there is no model at '{source}'", hint="check the path")
    total = hashlib.sha256()
    for path in counted:
        with path.open("rb") as file:
            total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _transformers() -> Any:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra(
            "a Hugging Face folder runs in torch, which is not installed",
            hint="pip install torch==2.13.0 'skerry[export]'",
        ) from error
    torch.set_grad_enabled(False)
    return transformers


class _TorchLlm:
    """A causal language model in float32."""

    def __init__(self, folder: Path) -> None:
        transformers = _transformers()
        kept = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **kept)
        self._model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, dtype="float32", **kept
        )

    def tokenize(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text)["input_ids"]
        return ids

    def logits(self, ids: Sequence[int]) -> Logits:
        import torch

        made: Logits = self._model(torch.tensor([list(ids)])).logits[0].numpy()
        return made

    def close(self) -> None:
        self._model = None


class _TorchEncoder:
    """Mean over the tokens that the mask keeps, then norm 1 (Reimers, Gurevych 2019,
    arXiv:1908.10084)."""

    def __init__(self, folder: Path) -> None:
        transformers = _transformers()
        kept = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **kept)
        self._model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True, **kept)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.concatenate([self._encode(text) for text in texts])

    def close(self) -> None:
        self._model = None

    def _encode(self, text: str) -> Vectors:
        fed = self._tokenizer(
            [text], truncation=True, max_length=_ENCODER_TOKENS, return_tensors="pt"
        )
        vector: Vectors = self._model(**fed).last_hidden_state.mean(1).numpy()
        vector /= np.linalg.norm(vector, axis=1, keepdims=True)
        return vector
