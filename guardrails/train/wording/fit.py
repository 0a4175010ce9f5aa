"""Fits a head: the network of `wording.network` in torch, on texts with a label an output.

A text's logit is that of its most striking sentence (multiple instances: Dietterich et al. 1997),
so that no sentence of an attack need be labelled.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skerry.guardrails.normal import normalise
from skerry.guardrails.train.wording.example import Example
from skerry.guardrails.wording.network import WIDTH
from skerry.guardrails.wording.table import WordTable
from skerry.guardrails.wording.words import SHAPES, Words, read

FILTERS = 64
HIDDEN = 32
_BATCH = 64
_MOST_SENTENCES = 24
_RATE = 1.5e-3
_NOISE = 0.12
_LOST = 0.06
_DECAY = 2e-4


# torch is `Any` to the type checker where it is not installed
class Head(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """Inputs of words, float32 [words, dimensions + SHAPES] -> logits [sentences, outputs]."""

    def __init__(self, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.filters = torch.nn.Linear(WIDTH * (dimensions + SHAPES), FILTERS)
        self.hidden = torch.nn.Linear(2 * FILTERS, HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, outputs)
        self.drop = torch.nn.Dropout(0.25)

    def forward(self, seen: Any, sentence: Any, count: int) -> Any:
        """`sentence` int64 [words - WIDTH + 1] is that of each window, `count` for edges."""
        windows = seen.unfold(0, WIDTH, 1).transpose(1, 2).reshape(len(seen) - WIDTH + 1, -1)
        made = torch.relu(self.filters(windows))
        at = sentence[:, None].expand(-1, made.shape[1])
        most = torch.zeros(count + 1, made.shape[1]).scatter_reduce(0, at, made, "amax")[:-1]
        size = torch.zeros(count + 1).scatter_add(0, sentence, torch.ones(len(sentence)))[:-1]
        mean = torch.zeros(count + 1, made.shape[1]).scatter_add(0, at, made)[:-1] / size[:, None]
        pooled = self.drop(torch.cat([most, mean], dim=1))
        return self.out(self.drop(torch.relu(self.hidden(pooled))))


def fit(
    examples: Sequence[Example], table: WordTable, *, epochs: int, seed: int
) -> dict[str, NDArray[np.float32]]:
    """The arrays of the head's file."""
    torch.manual_seed(seed)
    draw = random.Random(seed)
    read_in = [_cut(read(normalise(one.text).text, table)) for one in examples]
    kept = [(one, words) for one, words in zip(examples, read_in, strict=True) if words.spans]
    head = Head(table.vectors.shape[1], len(examples[0].labels))
    vectors = torch.from_numpy(table.vectors)
    optimiser = torch.optim.AdamW(head.parameters(), lr=_RATE, weight_decay=_DECAY)
    steps = epochs * -(-len(kept) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE * 2, total_steps=steps)
    for epoch in range(epochs):
        draw.shuffle(kept)
        total = 0.0
        for batch in _batches(kept):
            loss = _loss(head, vectors, batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(batch)
        print(f"epoch {epoch + 1}: loss {total / len(kept):.4f}", flush=True)
    return _arrays(head)


def _cut(words: Words) -> Words:
    """At most `_MOST_SENTENCES` of it."""
    if len(words.spans) <= _MOST_SENTENCES:
        return words
    end = int(words.lasts[_MOST_SENTENCES - 1]) + WIDTH // 2
    most = _MOST_SENTENCES
    return Words(
        words.rows[:end], words.shapes[:end], words.firsts[:most], words.lasts[:most],
        words.spans[:most],
    )  # fmt: skip


def _batches(kept: Sequence[tuple[Example, Words]]) -> Iterator[Sequence[tuple[Example, Words]]]:
    for start in range(0, len(kept), _BATCH):
        yield kept[start : start + _BATCH]


def _loss(head: Head, vectors: Any, batch: Sequence[tuple[Example, Words]]) -> Any:
    rows = torch.from_numpy(np.concatenate([words.rows for _, words in batch]).astype(np.int64))
    shapes = np.concatenate([words.shapes for _, words in batch]).astype(np.int64)
    seen = torch.cat([vectors[rows], torch.eye(SHAPES)[torch.from_numpy(shapes)]], dim=1)
    if head.training:
        seen[:, : vectors.shape[1]] += torch.randn(len(rows), vectors.shape[1]) * _NOISE
        seen[torch.rand(len(rows)) < _LOST] = 0
    sentence, count, owner = _owners(batch)
    logits = head(seen, sentence, count)
    at = owner[:, None].expand(-1, logits.shape[1])
    least = torch.full((len(batch), logits.shape[1]), -1e9)
    text = least.scatter_reduce(0, at, logits, "amax")
    labels = torch.tensor([one.labels for one, _ in batch])
    weights = torch.tensor([one.weight for one, _ in batch])[:, None] * ~labels.isnan()
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        text, labels.nan_to_num(), reduction="none"
    )
    return (losses * weights).sum() / weights.sum()


def _owners(batch: Sequence[tuple[Example, Words]]) -> tuple[Any, int, Any]:
    """The sentence of each window, how many sentences there are, and the text of each."""
    total = sum(len(words.rows) for _, words in batch)
    count = sum(len(words.spans) for _, words in batch)
    sentence = np.full(total, count, np.int64)
    owner = []
    offset = number = 0
    for index, (_, words) in enumerate(batch):
        for first, last in zip(words.firsts, words.lasts, strict=True):
            sentence[offset + first : offset + last] = number
            owner.append(index)
            number += 1
        offset += len(words.rows)
    margin = WIDTH // 2
    return torch.from_numpy(sentence[margin : total - margin]), count, torch.tensor(owner)


def _arrays(head: Head) -> dict[str, NDArray[np.float32]]:
    found = {}
    for name in ("filters", "hidden", "out"):
        layer = getattr(head, name)
        found[name] = layer.weight.detach().numpy().T
        found[f"{name}_bias"] = layer.bias.detach().numpy()
    return {name: one.astype(np.float16) for name, one in found.items()}
