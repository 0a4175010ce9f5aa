"""Run by the interpreter that has litert-torch: `convert.py SOURCE PRECISION OUT`.

Imports of Skerry only what needs torch, transformers and numpy, no more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from skerry.export.encoder.float32 import pooled
from skerry.export.encoder.folder import read_encoder


def main(source: Path, precision: str, out: Path) -> None:
    """Writes the model at `out`: int32 [1, most] twice -> float32 [1, dimensions]."""
    import litert_torch
    import torch

    described = read_encoder(source)
    ids = torch.ones((1, described.max_tokens), dtype=torch.int32)
    mask = torch.ones_like(ids)  # one tensor given twice becomes one input
    made = litert_torch.convert(pooled(described, plain_mask=True), (ids, mask))
    plain = out.with_suffix(".float.tflite")
    made.export(str(plain if precision == "int8" else out))
    if precision == "int8":
        _quantized(plain, out)
        plain.unlink()


def _quantized(plain: Path, out: Path) -> None:
    """int8 weights for each output channel; activations are quantized as they come."""
    from ai_edge_quantizer import quantizer, recipe

    tool = quantizer.Quantizer(str(plain), recipe.dynamic_wi8_afp32())
    tool.quantize().export_model(str(out))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
