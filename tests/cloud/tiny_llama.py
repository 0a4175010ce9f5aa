"""Makes a tiny Llama with random weights: `python tiny_llama.py FOLDER SIZE`, with transformers."""

from __future__ import annotations

import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM


def main(folder: str, size: int) -> None:
    """Peaked enough that its greedy choices are no ties."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=512,
        initializer_range=0.15,
        bos_token_id=None,
        eos_token_id=0,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).float().save_pretrained(folder)


main(sys.argv[1], int(sys.argv[2]))
