"""What a conversion cost: how far the exported model's predictions are from the source's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

TEXTS = Path(__file__).parent / "texts.txt"

Logprobs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Against the float32 source over `tokens` positions.

    `kl_mean_nats` is the mean Kullback-Leibler divergence KL(source || export); `top1_agreement`
    the share of positions with the same likeliest token; perplexities are of the next token.
    """

    tokens: int
    kl_mean_nats: float
    top1_agreement: float
    perplexity: float
    source_perplexity: float


def fidelity(ids: NDArray[np.int64], source: Logprobs, export: Logprobs) -> Fidelity:
    """From natural-log probabilities, both of shape (len(ids), vocabulary)."""
    kl = (np.exp(source) * (source - export)).sum(axis=1)
    return Fidelity(
        tokens=len(ids),
        kl_mean_nats=round(float(kl.mean()), 5),
        top1_agreement=round(float((source.argmax(1) == export.argmax(1)).mean()), 4),
        perplexity=round(_perplexity(ids, export), 3),
        source_perplexity=round(_perplexity(ids, source), 3),
    )


def measure(source: Path, export: Path) -> Fidelity:
    """Runs both folders over `TEXTS`."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(source)
    ids = np.array(tokenizer(TEXTS.read_text("utf-8"), add_special_tokens=False)["input_ids"])
    return fidelity(ids, _source_logprobs(source, ids), _export_logprobs(export, ids))


def _source_logprobs(folder: Path, ids: NDArray[np.int64]) -> Logprobs:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.inference_mode():
        return log_softmax(model(torch.from_numpy(ids)[None]).logits[0].numpy())


def _export_logprobs(folder: Path, ids: NDArray[np.int64]) -> Logprobs:
    import onnxruntime_genai as og

    from skerry.export.formats.onnx.llm import genai_logits

    return log_softmax(genai_logits(og.Model(str(folder)), ids.tolist()))


def log_softmax(logits: NDArray[Any]) -> Logprobs:
    """Natural-log probabilities of scores (rows, vocabulary), in double precision."""
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    result: Logprobs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _perplexity(ids: NDArray[np.int64], logprobs: Logprobs) -> float:
    following = logprobs[np.arange(len(ids) - 1), ids[1:]]
    return float(np.exp(-following.mean()))
