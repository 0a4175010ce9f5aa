"""A Llama in torch, small enough to read: what a teacher's layers do, and what a student learns.

Weights are laid out as GGUF has them (rotary pairs side by side), so that they are read and written
as they are. Root mean square norms, rotary positions, grouped queries, SwiGLU (Touvron et al. 2023,
arXiv:2302.13971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """What a Llama is made of; the names are those of GGUF's metadata."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    epsilon: float
    base: float

    @property
    def head(self) -> int:
        return self.width // self.heads


class Memory:
    """Keys and values of `rows` sequences of at most `longest` tokens."""

    def __init__(self, shape: Shape, rows: int, longest: int, *, device: torch.device) -> None:
        size = (shape.layers, rows, shape.kv_heads, longest, shape.head)
        self.keys = torch.zeros(size, device=device)
        self.values = torch.zeros(size, device=device)
        self.longest = longest


class Weights(nn.Linear):  # type: ignore[misc]  # torch is not typed here
    """A matrix without a bias; `rounded` multiplies by what four bits can hold of it, and learns
    as if it were whole (straight-through, Bengio et al. 2013, arXiv:1308.3432)."""

    rounded = False

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        if self.rounded:
            weight = weight + (four_bits(weight.detach()) - weight.detach())
        return functional.linear(x, weight)


class Layer(nn.Module):  # type: ignore[misc]
    """One decoder layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, kv = shape.width, shape.kv_heads * shape.head
        self.shape = shape
        self.attn_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.attn_q = Weights(width, width)
        self.attn_k = Weights(width, kv)
        self.attn_v = Weights(width, kv)
        self.attn_output = Weights(width, width)
        self.ffn_norm = nn.RMSNorm(width, eps=shape.epsilon)
        self.ffn_gate = Weights(width, shape.inner)
        self.ffn_up = Weights(width, shape.inner)
        self.ffn_down = Weights(shape.inner, width)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """x and the result: [rows, tokens, width]; each token sees those before it."""
        q, k, v = self.projected(x, turns)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.finished(x, mixed)

    def begin(self, x: Tensor, turns: tuple[Tensor, Tensor], held: tuple[Tensor, Tensor]) -> Tensor:
        """As `forward` for one row; its keys and values [kv heads, tokens, head] go to `held`."""
        q, k, v = self.projected(x, turns)
        for memory, new in zip(held, (k, v), strict=True):
            memory[:, : x.shape[1]] = new[0]
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.finished(x, mixed)

    def step(
        self, x: Tensor, turns: tuple[Tensor, Tensor], held: tuple[Tensor, Tensor], places: Tensor
    ) -> Tensor:
        """One token of each row, at `places` [rows] of the memory `held`.

        Queries of a group are one matrix product: fused attention takes one query at a time.
        """
        q, k, v = self.projected(x, turns)
        rows, most = torch.arange(len(places), device=x.device), int(places.max()) + 1
        keys, values = held
        keys[rows, :, places], values[rows, :, places] = k[:, :, 0], v[:, :, 0]
        groups = q.view(len(places), self.shape.kv_heads, -1, self.shape.head)
        scores = groups @ keys[:, :, :most].transpose(-1, -2) / self.shape.head**0.5
        unseen = torch.arange(most, device=x.device)[None] > places[:, None]
        scores.masked_fill_(unseen[:, None, None], -torch.inf)
        mixed = (scores.softmax(-1) @ values[:, :, :most]).view_as(q)
        return self.finished(x, mixed)

    def projected(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values: [rows, heads, tokens, head]."""
        rows, tokens, _ = x.shape
        normed, size = self.attn_norm(x), self.shape.head
        q, k, v = (
            layer(normed).view(rows, tokens, -1, size).transpose(1, 2)
            for layer in (self.attn_q, self.attn_k, self.attn_v)
        )
        return turned(q, turns), turned(k, turns), v

    def finished(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + self.attn_output(mixed.transpose(1, 2).flatten(2))
        normed = self.ffn_norm(x)
        return x + self.ffn_down(functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed))


class Llama(nn.Module):  # type: ignore[misc]
    """`embedding` [vocabulary, width] is the head, too. It is not trained."""

    def __init__(self, shape: Shape, embedding: Tensor) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("embedding", embedding)
        self.blk = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)

    embedding: Tensor

    @property
    def device(self) -> torch.device:
        return self.embedding.device

    def turns(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines of the rotary angles at `places` [rows, tokens]."""
        pairs = torch.arange(0, self.shape.head, 2, device=places.device)
        angles = places[..., None].float() * self.shape.base ** (-pairs / self.shape.head)
        return angles.cos()[:, None], angles.sin()[:, None]

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """What each layer makes of `tokens` [rows, tokens]; the last is normed, for the head."""
        x = self.embedding[tokens]
        turns = self.turns(torch.arange(tokens.shape[1], device=tokens.device)[None])
        made = []
        for layer in self.blk:
            x = layer(x, turns)
            made.append(x)
        made[-1] = self.output_norm(x)
        return made

    def begin(self, tokens: Sequence[int], memory: Memory, row: int) -> list[Tensor]:
        """As `forward` for one row, which the memory keeps."""
        x = self.embedding[torch.tensor(tokens, device=self.device)][None]
        turns = self.turns(torch.arange(len(tokens), device=self.device)[None])
        made = []
        for i, layer in enumerate(self.blk):
            x = layer.begin(x, turns, (memory.keys[i, row], memory.values[i, row]))
            made.append(x)
        made[-1] = self.output_norm(x)
        return made

    def step(self, tokens: Tensor, memory: Memory, places: Tensor) -> list[Tensor]:
        """What each layer makes of one token of each row: [rows, 1, width]."""
        x = self.embedding[tokens][:, None]
        turns = self.turns(places[:, None])
        made = []
        for i, layer in enumerate(self.blk):
            x = layer.step(x, turns, (memory.keys[i], memory.values[i]), places)
            made.append(x)
        made[-1] = self.output_norm(x)
        return made

    def logits(self, hidden: Tensor, among: Tensor | None = None) -> Tensor:
        """For hidden states [..., width]: [..., vocabulary], or of the ids in `among` only."""
        head = self.embedding if among is None else self.embedding[among]
        return hidden @ head.T


def turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary positions (Su et al. 2021, arXiv:2104.09864), pairs side by side."""
    cosines, sines = turns
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosines - odd * sines, even * sines + odd * cosines), -1).flatten(-2)


def four_bits(weights: Tensor) -> Tensor:
    """Weights rounded to what Q4_0 holds: blocks of 32 with a scale of 16 bits, codes -8 to 7."""
    blocks = weights.reshape(-1, 32)
    ends = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
    scale = ends / -8
    inverse = torch.where(scale == 0, 0.0, 1 / scale)
    codes = (blocks * inverse + 8.5).floor().clamp(0, 15) - 8
    return (codes * scale.half().float()).reshape(weights.shape)
