"""Run by the interpreter that has LLM Compressor: `compress.py SOURCE TEXTS OUT`.

Four-bit weights with float16 activations (W4A16), in the largest groups that fit, by GPTQ (Frantar
et al. 2022, arXiv:2210.17323). The head stays as it is.
Imports no Skerry.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_GROUPS = (128, 64, 32)
_ROW_TOKENS, _ROWS = 256, 128
_IGNORED = ["lm_head"]


def main(source: str, texts: str, out: str) -> None:
    import torch
    from llmcompressor import oneshot
    from llmcompressor.modifiers.gptq import GPTQModifier
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(
        source, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    rows = _rows(tokenizer(Path(texts).read_text("utf-8"))["input_ids"])
    oneshot(
        model=model,
        dataset=rows,
        recipe=[GPTQModifier(config_groups=_scheme(model), ignore=_IGNORED)],
        max_seq_length=_ROW_TOKENS,
        num_calibration_samples=len(rows),
    )
    model.to(torch.bfloat16).save_pretrained(out, save_compressed=True)
    tokenizer.save_pretrained(out)


def _rows(ids: list[int]) -> Any:
    """Rows of equal length; the last tokens that fill none are left out."""
    from datasets import Dataset

    length = min(_ROW_TOKENS, len(ids))
    starts = range(0, len(ids) - length + 1, length)
    rows = [ids[start : start + length] for start in starts][:_ROWS]
    return Dataset.from_dict({"input_ids": rows, "attention_mask": [[1] * length for _ in rows]})


def _scheme(model: Any) -> dict[str, Any]:
    import torch
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    sizes = [
        part.in_features
        for name, part in model.named_modules()
        if isinstance(part, torch.nn.Linear) and name not in _IGNORED
    ]
    group = next((one for one in _GROUPS if all(size % one == 0 for size in sizes)), None)
    if group is None:
        sys.exit(f"sizes {sorted(set(sizes))} are no multiples of {_GROUPS[-1]}")
    weights = QuantizationArgs(num_bits=4, strategy="group", group_size=group)
    return {"group_0": QuantizationScheme(targets=["Linear"], weights=weights)}


if __name__ == "__main__":
    main(*sys.argv[1:])
