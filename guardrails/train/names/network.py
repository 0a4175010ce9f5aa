"""The network: the first two layers of MiniLM over a narrow word table, and a label a token.

The table is the 160 principal directions of MiniLM's (Lan et al. 2019, arXiv:1909.11942, factor a
table likewise): all words that can be spelt in ASCII fit into 4.5 MB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skerry.export.encoder.float32 import source_folder
from skerry.export.encoder.vocabulary import read_tokenizer, renumbered, used_ids
from skerry.guardrails.names.encoding import LABELS, SHAPES

LAYERS = 2
WIDTH = 160
OUTPUTS = 1 + 2 * len(LABELS)
"""Outside, then the beginning and the inside of each label (Ramshaw, Marcus 1995, BIO)."""


# torch is `Any` to the type checker where it is not installed
class Names(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """ids, shapes, mask, each int64 [batch, length] -> logits, float32 [batch, length, 7]."""

    def __init__(self, source: Path, kept: list[int]) -> None:
        super().__init__()
        from transformers import AutoModel

        self.bert = AutoModel.from_pretrained(source, attn_implementation="eager")
        words = self.bert.get_input_embeddings().weight[kept].detach().numpy()
        self.bert.encoder.layer = self.bert.encoder.layer[:LAYERS]
        self.bert.set_input_embeddings(torch.nn.Embedding(1, words.shape[1]))
        self.bert.pooler = None
        self.table = torch.nn.Embedding(len(kept), WIDTH)
        self.widen = torch.nn.Linear(WIDTH, words.shape[1])
        self.shape = torch.nn.Embedding(SHAPES, words.shape[1])
        self.head = torch.nn.Linear(words.shape[1], OUTPUTS)
        torch.nn.init.zeros_(self.shape.weight)
        self._factor(words)

    def _factor(self, words: np.ndarray) -> None:
        mean = words.mean(axis=0)
        left, sizes, right = np.linalg.svd(words - mean, full_matrices=False)
        narrow = left[:, :WIDTH] * sizes[:WIDTH]
        spread = narrow.std()
        with torch.no_grad():
            self.table.weight.copy_(torch.from_numpy(narrow / spread * 0.05))
            self.widen.weight.copy_(torch.from_numpy(right[:WIDTH].T * spread / 0.05))
            self.widen.bias.copy_(torch.from_numpy(mean))

    def forward(self, ids: Any, shapes: Any, mask: Any) -> Any:
        words = self.widen(self.table(ids)) + self.shape(shapes)
        states = self.bert(inputs_embeds=words, attention_mask=mask).last_hidden_state
        return self.head(states)


def vocabulary() -> tuple[str, list[int]]:
    """The tokenizer of MiniLM with the tokens of ASCII alone, and their ids there."""
    document = read_tokenizer(source_folder() / "tokenizer.json")
    known = {number: token for token, number in document["model"]["vocab"].items()}
    kept = [number for number in used_ids(document) if known[number].isascii()]
    return json.dumps(renumbered(document, kept)), kept


def untrained() -> tuple[Names, str]:
    """The network as it starts, and its tokenizer."""
    tokenizer, kept = vocabulary()
    return Names(source_folder(), kept), tokenizer
