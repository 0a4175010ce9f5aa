"""The cross-encoder: MiniLM over claim and evidence, one head for tokens and one for the outcome.

The head for tokens says of each token of the claim that the evidence does not hold it; the worst
of them goes into the outcome beside the first vector. A wrong number is one token of twenty: this
way it is not averaged away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

_DROPOUT = 0.1
_FAR = -10.0
_FROZEN_LAYERS = (
    2  # of six, as are the embeddings: a fifth of the time, and new words keep their place
)


# torch is `Any` to the type checker where it is not installed
class CrossEncoder(nn.Module):  # type: ignore[misc, unused-ignore]
    """`ids`, `types`, `mask` [batch, length] -> outcomes [batch, 3], tokens [batch, length].

    Both are logits. Token id `i` is id `kept[i]` of the source.
    """

    def __init__(self, source: Path, kept: Sequence[int], special: Sequence[int]) -> None:
        from transformers import AutoModel

        super().__init__()
        self.bert = AutoModel.from_pretrained(source, attn_implementation="eager")
        table = self.bert.get_input_embeddings().weight[list(kept)]
        self.bert.set_input_embeddings(nn.Embedding.from_pretrained(table, freeze=True))
        self.bert.pooler = None
        for part in (self.bert.embeddings, *self.bert.encoder.layer[:_FROZEN_LAYERS]):
            part.requires_grad_(False)
        size = self.bert.config.hidden_size
        self.token = nn.Linear(size, 1)
        self.outcome = nn.Linear(size + 1, 3)
        self.dropout = nn.Dropout(_DROPOUT)
        self.special = tuple(special)

    def forward(self, ids: Any, types: Any, mask: Any) -> tuple[Any, Any]:
        hidden = self.bert(
            input_ids=ids, token_type_ids=types, attention_mask=mask
        ).last_hidden_state
        hidden = self.dropout(hidden)
        tokens = self.token(hidden).squeeze(-1)
        claim = (types == 0) & (mask > 0)
        for one in self.special:
            claim = claim & (ids != one)
        worst = torch.where(claim, tokens, torch.full_like(tokens, _FAR)).amax(1, keepdim=True)
        return self.outcome(torch.cat([hidden[:, 0], worst], 1)), tokens
