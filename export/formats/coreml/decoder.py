"""A Llama that reads one token at a time and keeps keys and values in buffers, for Core ML.

Buffers that change become states of a Core ML program. Every shape is fixed, as the neural engine
wants it, so a position is written by a mask over the whole cache. Root mean square norms, rotary
positions (halves, as Hugging Face lays them out), grouped queries, SwiGLU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Turn = tuple[Tensor, Tensor]

_MASKED = -30000.0


class Attention(nn.Module):  # type: ignore[misc, unused-ignore]  # torch may not be installed
    """Attention of one token over the cache: x [1, width] -> [1, width]."""

    def __init__(self, args: Mapping[str, Any], context: int) -> None:
        super().__init__()
        self.heads, self.kv, self.size = args["n_heads"], args["n_kv_heads"], args["head_dim"]
        bias = args["attention_qkv_bias"]
        self.wq = nn.Linear(args["dim"], self.heads * self.size, bias=bias)
        self.wk = nn.Linear(args["dim"], self.kv * self.size, bias=bias)
        self.wv = nn.Linear(args["dim"], self.kv * self.size, bias=bias)
        self.wo = nn.Linear(self.heads * self.size, args["dim"], bias=False)
        self.register_buffer("keys", torch.zeros(self.kv, context, self.size))
        self.register_buffer("values", torch.zeros(self.kv, context, self.size))

    def forward(self, x: Tensor, turn: Turn, here: Tensor, later: Tensor) -> Tensor:
        q = _turned(self.wq(x).view(self.heads, 1, self.size), turn)
        k = _turned(self.wk(x).view(self.kv, 1, self.size), turn)
        v = self.wv(x).view(self.kv, 1, self.size)
        self.keys.copy_(self.keys * (1 - here) + k * here)
        self.values.copy_(self.values * (1 - here) + v * here)
        grouped = q.view(self.kv, self.heads // self.kv, self.size)
        scores = grouped @ self.keys.transpose(1, 2) * self.size**-0.5 + later
        mixed = functional.softmax(scores, dim=-1) @ self.values
        out: Tensor = self.wo(mixed.reshape(1, self.heads * self.size))
        return out


class Layer(nn.Module):  # type: ignore[misc, unused-ignore]
    """One decoder layer."""

    def __init__(self, args: Mapping[str, Any], context: int) -> None:
        super().__init__()
        width, inner = args["dim"], args["hidden_dim"]
        self.attention = Attention(args, context)
        self.attention_norm = nn.RMSNorm(width, eps=args["norm_eps"])
        self.ffn_norm = nn.RMSNorm(width, eps=args["norm_eps"])
        self.feed_forward = nn.ModuleDict(
            {
                "w1": nn.Linear(width, inner, bias=False),
                "w2": nn.Linear(inner, width, bias=False),
                "w3": nn.Linear(width, inner, bias=False),
            }
        )

    def forward(self, x: Tensor, turn: Turn, here: Tensor, later: Tensor) -> Tensor:
        x = x + self.attention(self.attention_norm(x), turn, here, later)
        normed, parts = self.ffn_norm(x), self.feed_forward
        out: Tensor = x + parts["w2"](functional.silu(parts["w1"](normed)) * parts["w3"](normed))
        return out


class Decoder(nn.Module):  # type: ignore[misc, unused-ignore]
    """ids [1, 1] and position [1], int32 -> scores of the next token [1, vocabulary].

    `args` and the weights' names are those of `skerry.export.formats.executorch.meta`.
    """

    def __init__(self, args: Mapping[str, Any], context: int) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(args["vocab_size"], args["dim"])
        self.layers = nn.ModuleList(Layer(args, context) for _ in range(args["n_layers"]))
        self.norm = nn.RMSNorm(args["dim"], eps=args["norm_eps"])
        self.output = nn.Linear(args["dim"], args["vocab_size"], bias=False)
        size = args["head_dim"]
        rates = args["rope_theta"] ** (-torch.arange(0, size, 2).float() / size)
        angles = torch.arange(context).float()[:, None] * rates.repeat(2)[None]
        self.register_buffer("cosines", angles.cos(), persistent=False)
        self.register_buffer("sines", angles.sin(), persistent=False)
        self.register_buffer("places", torch.arange(context, dtype=torch.int32), persistent=False)

    def forward(self, input_ids: Tensor, position: Tensor) -> Tensor:
        here = (self.places == position).float()[:, None]
        later = (self.places > position).float() * _MASKED
        turn = (self.cosines[position], self.sines[position])
        x = self.tok_embeddings(input_ids)[0]
        for layer in self.layers:
            x = layer(x, turn, here, later)
        scores: Tensor = self.output(self.norm(x))
        return scores


def _turned(x: Tensor, turn: Turn) -> Tensor:
    """Rotary positions of x [heads, 1, size] (Su et al. 2021, arXiv:2104.09864)."""
    first, second = x.chunk(2, dim=-1)
    return x * turn[0] + torch.cat((-second, first), dim=-1) * turn[1]
