"""Fits the cross-encoder. Batches are of equal cost; a stopped run goes on from its checkpoint."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from skerry.export.encoder.float32 import source_folder
from skerry.guardrails.grounding.inputs import Encoded, encode
from skerry.guardrails.grounding.windows import beside
from skerry.guardrails.train.grounding.network import CrossEncoder
from skerry.guardrails.train.grounding.pair import Pair, Truth

BATCH_TOKENS = 2_000
MOST_TOKENS = 112  # longer pairs cost much and say little more
_RATE = 2e-4
_WARM_UP = 32  # steps
_COOL_DOWN = 0.3
_KEEP, _TEST = 40, 160  # steps between checkpoints, and between tests
_DECAY = 0.01
_TOKEN_SHARE = 0.5  # of the loss: the head for tokens
_SMOOTHING = 0.05
_UNKNOWN = -1.0
_POOL = 50  # batches' worth of examples that are sorted by length together


@dataclass(frozen=True, slots=True)
class Example:
    """`wrong` [length] is 1 where a token of the claim is not held, `_UNKNOWN` if not known."""

    encoded: Encoded
    truth: Truth
    wrong: Sequence[float]


def claim_of(pair: Pair) -> str:
    """The claim after its question, if it has one."""
    return f"{pair.question} {pair.claim}" if pair.question else pair.claim


def example(tokenizer: Any, pair: Pair) -> Example:
    """A pair as token ids with a target for each token."""
    encoded = encode(tokenizer, claim_of(pair), beside(pair.context, pair.evidence))
    wrong = [_UNKNOWN] * len(encoded.ids)
    if pair.wrong is not None:
        shift = len(pair.question) + 1 if pair.question else 0
        for at, (start, end) in enumerate(encoded.spans, 1):
            inside = any(start < b + shift and a + shift < end for a, b in pair.wrong)
            wrong[at] = float(inside)
    return Example(encoded, pair.truth, wrong)


def batches(examples: Sequence[Example], draw: random.Random | None) -> Iterator[list[Example]]:
    """Examples of like length together, at most `BATCH_TOKENS` tokens with the padding."""
    order = draw.sample(list(examples), len(examples)) if draw else list(examples)
    size = _POOL * 32
    made: list[list[Example]] = []
    for start in range(0, len(order), size):
        batch: list[Example] = []
        for one in sorted(order[start : start + size], key=lambda each: len(each.encoded.ids)):
            if batch and (len(batch) + 1) * len(one.encoded.ids) > BATCH_TOKENS:
                made.append(batch)
                batch = []
            batch.append(one)
        made.append(batch)
    yield from draw.sample(made, len(made)) if draw else made


def tensors(batch: Sequence[Example]) -> tuple[Any, Any, Any, Any, Any]:
    """ids, types, mask, wrong [batch, length] and truth [batch]."""
    length = max(len(one.encoded.ids) for one in batch)

    def padded(rows: Sequence[Sequence[float]], fill: float) -> Any:
        return torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])

    ids = padded([one.encoded.ids for one in batch], 0)
    types = padded([one.encoded.types for one in batch], 1)
    mask = padded([[1] * len(one.encoded.ids) for one in batch], 0)
    wrong = padded([one.wrong for one in batch], _UNKNOWN)
    return ids, types, mask, wrong, torch.tensor([int(one.truth) for one in batch])


def loss_of(outcomes: Any, tokens: Any, wrong: Any, truth: Any) -> Any:
    """Cross-entropy of the outcome; where it is only "not supported", of the two together."""
    log = functional.log_softmax(outcomes, 1)
    log = (1 - _SMOOTHING) * log + _SMOOTHING * log.mean(1, keepdim=True)
    either = torch.logsumexp(functional.log_softmax(outcomes, 1)[:, 1:], 1)
    known = truth != int(Truth.UNSUPPORTED)
    exact = log.gather(1, truth.clamp(max=2)[:, None])[:, 0]
    outcome = -torch.where(known, exact, either).mean()
    told = wrong != _UNKNOWN
    if not bool(told.any()):
        return outcome
    weight = torch.where(wrong[told] > 0, 3.0, 1.0)
    by_token = functional.binary_cross_entropy_with_logits(tokens[told], wrong[told], weight)
    return outcome + _TOKEN_SHARE * by_token


def fit(
    model: CrossEncoder,
    parts: Sequence[tuple[Sequence[Example], int]],
    dev: Mapping[str, Sequence[Example]],
    *,
    seed: int,
    folder: Path,
) -> CrossEncoder:
    """Trains in place: of each part in turn so many batches (0: all of them).

    Logs loss and balanced accuracy, and keeps a checkpoint in `folder`. The rate is constant until
    the last steps (Hu et al. 2024, arXiv:2404.06395).
    """
    draw = random.Random(seed)
    plan: list[list[Example]] = []
    for examples, most in parts:
        short = [one for one in examples if len(one.encoded.ids) <= MOST_TOKENS]
        plan += list(batches(short, draw))[: most or None]
    optimizer = torch.optim.AdamW(_groups(model), lr=_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _pace(len(plan)))
    done = _resume(folder, model, optimizer, schedule)
    losses: list[float] = []
    since = time.monotonic()
    for step in range(done, len(plan)):
        model.train()
        ids, types, mask, wrong, truth = tensors(plan[step])
        outcomes, tokens = model(ids, types, mask)
        error = loss_of(outcomes, tokens, wrong, truth)
        error.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(error))
        last = step + 1 == len(plan)
        if (step + 1) % _KEEP == 0 or last:
            _keep(folder, step + 1, model, optimizer, schedule)
        if (step + 1) % _TEST == 0 or last:
            scores = {name: balanced_accuracy(model, some) for name, some in dev.items()}
            loss, seconds = float(np.mean(losses[-_TEST:])), time.monotonic() - since
            _log(folder, step=step + 1, of=len(plan), loss=loss, seconds=seconds, **scores)
    return model


def _groups(model: CrossEncoder) -> list[dict[str, Any]]:
    """The heads learn five times as fast; biases and norms are not decayed."""
    heads: list[Any] = []
    decayed: list[Any] = []
    others: list[Any] = []
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        kind = heads if not name.startswith("bert") else decayed if weight.ndim > 1 else others
        kind.append(weight)
    return [
        {"params": heads, "lr": 5 * _RATE, "weight_decay": 0.0},
        {"params": decayed, "weight_decay": _DECAY},
        {"params": others, "weight_decay": 0.0},
    ]


def _pace(steps: int) -> Any:
    """Up, level, and down to nothing in a straight line."""
    down = max(1, round(steps * _COOL_DOWN))
    return lambda step: min(1.0, (step + 1) / _WARM_UP, (steps - step) / down)


def probabilities(model: CrossEncoder, examples: Sequence[Example]) -> Any:
    """[examples, 3], in their order."""
    model.eval()
    rows = np.zeros((len(examples), 3), np.float32)
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].encoded.ids))
    at = 0
    for batch in batches([examples[i] for i in order], None):
        ids, types, mask, _, _ = tensors(batch)
        with torch.no_grad():
            outcomes, _ = model(ids, types, mask)
        rows[order[at : at + len(batch)]] = functional.softmax(outcomes, 1).numpy()
        at += len(batch)
    return rows


def balanced_accuracy(model: CrossEncoder, examples: Sequence[Example]) -> float:
    """Of supported against not, at one half."""
    said = probabilities(model, examples)[:, 0] > 0.5
    true = np.array([one.truth is Truth.SUPPORTED for one in examples])
    shares = [np.mean(said[true]), np.mean(~said[~true])]
    return float(np.mean(shares))


def _log(folder: Path, **row: float) -> None:
    line = json.dumps({name: round(value, 4) for name, value in row.items()})
    print(line, flush=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def _keep(folder: Path, step: int, model: Any, optimizer: Any, schedule: Any) -> None:
    state = {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
             "schedule": schedule.state_dict()}  # fmt: skip
    torch.save(state, folder / "checkpoint.part")
    (folder / "checkpoint.part").replace(folder / "checkpoint.pt")


def _resume(folder: Path, model: Any, optimizer: Any, schedule: Any) -> int:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def new_model(kept: Sequence[int], special: Sequence[int], seed: int) -> CrossEncoder:
    """MiniLM with new heads."""
    torch.manual_seed(seed)
    return CrossEncoder(source_folder(), kept, special)
