"""How near an exported model is to its source, in numbers. Says nothing of what is near enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skerry.export.encoder.gate import fidelity as encoder_fidelity
from skerry.export.exporter import LoadedEncoder, LoadedLlm, Vectors
from skerry.export.genai.measure import fidelity as llm_fidelity
from skerry.export.genai.measure import log_softmax


@dataclass(frozen=True, slots=True)
class LlmParity:
    """`kl_mean_nats`: mean of KL(source || export); `top1_agreement`: share of equal likeliest."""

    tokens: int
    kl_mean_nats: float
    top1_agreement: float


@dataclass(frozen=True, slots=True)
class EncoderParity:
    """Cosines between both vectors of each text; share of texts with the same nearest other."""

    texts: int
    cosine_mean: float
    cosine_least: float
    neighbour_agreement: float


def compare_llm(export: LoadedLlm, source: LoadedLlm, text: str, most: int = 256) -> LlmParity:
    """Over the first `most` tokens of `text`, at least two.

    Raises:
        ValueError: the two tokenize the text differently, or it is too short.
    """
    ids = source.tokenize(text)[:most]
    if ids != export.tokenize(text)[:most]:
        raise ValueError("the export tokenizes the text unlike its source")
    if len(ids) < 2:
        raise ValueError("the text has fewer than two tokens")
    found, true = export.logits(ids), source.logits(ids)
    width = min(found.shape[1], true.shape[1])  # some formats pad the vocabulary
    cost = llm_fidelity(np.array(ids), log_softmax(true[:, :width]), log_softmax(found[:, :width]))
    return LlmParity(len(ids), cost.kl_mean_nats, cost.top1_agreement)


def compare_encoder(
    export: LoadedEncoder, source: LoadedEncoder, texts: Sequence[str]
) -> EncoderParity:
    """Over `texts`, at least two. Vectors are brought to length 1: float16 nearly is."""
    cost = encoder_fidelity(_unit(export.encode(texts)), _unit(source.encode(texts)))
    return EncoderParity(
        texts=cost.texts,
        cosine_mean=round(cost.mean_cosine, 5),
        cosine_least=round(cost.least_cosine, 5),
        neighbour_agreement=round(cost.neighbour_agreement, 4),
    )


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit
