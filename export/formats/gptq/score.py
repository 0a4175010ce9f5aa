"""Run by the interpreter that has LLM Compressor: `score.py MODEL IDS.npy OUT.npy`.

OUT: float32 (ids, vocabulary), the scores of the checkpoint as transformers computes them: the same
weights as vLLM's, by other kernels. Imports no Skerry.
"""

from __future__ import annotations

import sys

import numpy as np


def main(model: str, ids: str, out: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(
        model, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    with torch.inference_mode():
        scores = loaded(torch.from_numpy(np.load(ids))[None]).logits[0]
    np.save(out, scores.float().numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
