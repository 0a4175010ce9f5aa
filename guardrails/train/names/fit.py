"""Trains the network: batches of texts of like length, AdamW, a warm-up and a straight way down.

Writes a checkpoint every few minutes and goes on from it, with the same batches.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skerry.guardrails.names.encoding import LABELS, LONGEST, Tokens, tokens
from skerry.guardrails.normal import normalise
from skerry.guardrails.train.names.compose import Labelled
from skerry.guardrails.train.names.network import Names

_BATCH_TOKENS = 1024
_WARM_UP = 0.06
_TABLE_RATE = 1e-3
_LAYER_RATE = 3e-4
_CHECKPOINT_S = 120
_SKIPPED = -100
_AS = {"postcode": "place"}  # codes have too many forms for patterns alone
CLS, SEP = "[CLS]", "[SEP]"


@dataclass(frozen=True, slots=True)
class Row:
    """A text for the network, with the marks of start and end; `labels` are classes."""

    ids: list[int]
    shapes: list[int]
    labels: list[int]


def rows(texts: Sequence[Labelled], tokenizer: Any) -> list[Row]:
    """The texts as the classifier reads them; what is past one pass is left out."""
    start, end = tokenizer.token_to_id(CLS), tokenizer.token_to_id(SEP)
    return [_row(one, tokenizer, start, end) for one in texts]


def _row(one: Labelled, tokenizer: Any, first: int, last: int) -> Row:
    normal = normalise(one.text)
    seen = tokens(tokenizer, normal.text)
    labels = _classes(one, seen, normal)
    size = LONGEST - 2
    return Row(
        [first, *seen.ids[:size], last],
        [0, *seen.shapes[:size], 0],
        [_SKIPPED, *labels[:size], _SKIPPED],
    )


def _classes(one: Labelled, seen: Tokens, normal: Any) -> list[int]:
    """For each token 0, or the beginning (odd) or inside (even) of a label."""
    classes = [0] * len(seen.ids)
    known = [(a, b, _AS.get(label, label)) for a, b, label in one.spans]
    known = [span for span in known if span[2] in LABELS]
    for number, (start, end) in enumerate(seen.spans):
        at, until = normal.original(start, end)
        for first, last, label in known:
            if at >= first and until <= last:
                begins = (
                    at == first
                    or number == 0
                    or normal.original(*seen.spans[number - 1])[0] < first
                )
                classes[number] = 2 * LABELS.index(label) + (1 if begins else 2)
    return classes


def batches(data: Sequence[Row], draw: random.Random) -> Iterator[list[Row]]:
    """All rows once, those of like length together, in an order of `draw`."""
    order = sorted(data, key=lambda row: (len(row.ids) // 6, draw.random()))
    made: list[list[Row]] = [[]]
    for row in order:
        if len(row.ids) * (len(made[-1]) + 1) > _BATCH_TOKENS:
            made.append([])
        made[-1].append(row)
    draw.shuffle(made)
    yield from made


def tensors(batch: Sequence[Row]) -> tuple[Any, Any, Any, Any]:
    """ids, shapes, mask, labels, each int64 [rows, longest]."""
    longest = max(len(row.ids) for row in batch)
    made = np.zeros((4, len(batch), longest), np.int64)
    made[3] = _SKIPPED
    for at, row in enumerate(batch):
        size = len(row.ids)
        made[0, at, :size], made[1, at, :size] = row.ids, row.shapes
        made[2, at, :size], made[3, at, :size] = 1, row.labels
    ids, shapes, mask, labels = torch.from_numpy(made)
    return ids, shapes, mask, labels


def fit(
    network: Names, data: Sequence[Row], seed: int, checkpoint: Path, *, share: float = 1.0
) -> None:
    """Trains `network` in place, each row once; `share` scales the rates."""
    steps = list(batches(data, random.Random(seed)))
    optimizer = _optimizer(network, share)
    scale = lambda step: min((step + 1) / (_WARM_UP * len(steps)), 1 - step / len(steps))  # noqa: E731
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, scale)
    done = _resumed(checkpoint, network, optimizer, schedule)
    saved = started = time.monotonic()
    network.train()
    for step in range(done, len(steps)):
        loss = _step(network, optimizer, steps[step])
        schedule.step()
        if step % 50 == 0:
            print(
                f"step {step}/{len(steps)} loss {loss:.4f} {time.monotonic() - started:.0f}s",
                flush=True,
            )
        if time.monotonic() - saved > _CHECKPOINT_S:
            _save(checkpoint, network, optimizer, schedule, step + 1)
            saved = time.monotonic()
    _save(checkpoint, network, optimizer, schedule, len(steps))
    network.eval()


def _optimizer(network: Names, share: float) -> Any:
    layers = list(network.bert.parameters())
    inside = {id(one) for one in layers}
    others = [one for one in network.parameters() if id(one) not in inside]
    groups = [
        {"params": layers, "lr": share * _LAYER_RATE},
        {"params": others, "lr": share * _TABLE_RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def _step(network: Names, optimizer: Any, batch: Sequence[Row]) -> float:
    ids, shapes, mask, labels = tensors(batch)
    with torch.autocast("cpu", torch.bfloat16):  # two thirds of the time; sums stay float32
        logits = network(ids, shapes, mask)
    loss = torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=_SKIPPED, label_smoothing=0.02
    )
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _save(path: Path, network: Names, optimizer: Any, schedule: Any, step: int) -> None:
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    partial = path.with_suffix(".part")
    torch.save({name: part.state_dict() for name, part in parts.items()} | {"step": step}, partial)
    partial.replace(path)


def _resumed(path: Path, network: Names, optimizer: Any, schedule: Any) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])
