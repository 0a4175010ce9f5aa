"""The source itself, run by PyTorch in float32: what every export is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skerry.export.encoder.float32 import pooled
from skerry.export.encoder.folder import read_encoder
from skerry.export.exporter import Kind, Loaded, LoadedEncoder, LoadedLlm, Logits, Vectors
from skerry.export.formats.needs import extra
from skerry.export.formats.running import Ids, TextEncoder, TokenLlm, read_tokenizer
from skerry.export.genai.source import open_source

NEEDS = extra("export", "torch", "transformers", packages=("torch", "transformers"))


def open_reference(source: Path, kind: Kind, work: Path) -> Loaded:
    """Opens the source.

    Args:
        source: a GGUF file or a Hugging Face folder.
        kind: what it is.
        work: a folder where a GGUF file may be unpacked.

    Raises:
        MissingExtra: torch is not installed.
        SourceRefused: it is no such model.
    """
    NEEDS.check("running the source")
    return _llm(source, work) if kind is Kind.LLM else _encoder(source)


def _llm(source: Path, work: Path) -> LoadedLlm:
    import torch
    from transformers import AutoModelForCausalLM

    folder = open_source(source, work).folder
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    return TokenLlm(read_tokenizer(folder), _scorer(model.eval()))


def _scorer(model: Any) -> Any:
    import torch

    def score(ids: Sequence[int]) -> Logits:
        with torch.inference_mode():
            rows: Logits = model(torch.tensor([list(ids)])).logits[0].float().numpy()
        return rows

    return score


def _encoder(source: Path) -> LoadedEncoder:
    import torch

    described = read_encoder(source)
    module = pooled(described)

    def vector(ids: Ids, mask: Ids) -> Vectors:
        with torch.inference_mode():
            made = module(torch.from_numpy(ids), torch.from_numpy(mask))
        return np.asarray(made, np.float32)

    tokenizer = read_tokenizer(source)
    return TextEncoder(tokenizer, described.max_tokens, described.dimensions, vector)
