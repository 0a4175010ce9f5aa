"""Fits the cross-encoder. Batches are of equal cost; a stopped run goes on from its checkpoint.

Pairs about one thing are in one batch, and the supported ones of them have to score higher than
the others: what tells them apart is then a word or two.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from skerry.export.encoder.float32 import source_folder
from skerry.guardrails.train.grounding.batches import UNKNOWN, Example, batches
from skerry.guardrails.train.grounding.measure import auroc
from skerry.guardrails.train.grounding.network import CrossEncoder
from skerry.guardrails.train.grounding.pair import Truth

MOST_TOKENS = 144  # longer pairs cost much and say little more
_RATE = 1.5e-4
_WARM_UP = 32  # steps
_COOL_DOWN = 0.5
_KEEP, _TEST = 40, 200  # steps between checkpoints, and between tests
_DECAY = 0.01
_TOKEN_SHARE = 0.5  # of the loss: the head for tokens
_SMOOTHING = 0.05
_TESTED = 16  # examples at a time
_CONTRAST = 0.3  # of the loss: supported pairs above the others of their group


def tensors(batch: Sequence[Example]) -> tuple[Any, Any, Any, Any, Any]:
    """ids, types, mask, wrong [batch, length] and truth [batch]."""
    length = max(len(one.encoded.ids) for one in batch)

    def padded(rows: Sequence[Sequence[float]], fill: float) -> Any:
        return torch.tensor([[*row, *[fill] * (length - len(row))] for row in rows])

    ids = padded([one.encoded.ids for one in batch], 0)
    types = padded([one.encoded.types for one in batch], 1)
    mask = padded([[1] * len(one.encoded.ids) for one in batch], 0)
    wrong = padded([one.wrong for one in batch], UNKNOWN)
    return ids, types, mask, wrong, torch.tensor([int(one.truth) for one in batch])


def loss_of(outcomes: Any, tokens: Any, wrong: Any, truth: Any) -> Any:
    """Cross-entropy of the outcome; where it is only "not supported", of the two together."""
    log = functional.log_softmax(outcomes, 1)
    log = (1 - _SMOOTHING) * log + _SMOOTHING * log.mean(1, keepdim=True)
    either = torch.logsumexp(functional.log_softmax(outcomes, 1)[:, 1:], 1)
    known = truth != int(Truth.UNSUPPORTED)
    exact = log.gather(1, truth.clamp(max=2)[:, None])[:, 0]
    outcome = -torch.where(known, exact, either).mean()
    told = wrong != UNKNOWN
    if not bool(told.any()):
        return outcome
    weight = torch.where(wrong[told] > 0, 3.0, 1.0)
    by_token = functional.binary_cross_entropy_with_logits(tokens[told], wrong[told], weight)
    return outcome + _TOKEN_SHARE * by_token


def contrast(outcomes: Any, truth: Any, groups: Sequence[str]) -> Any:
    """How far the others of a group come near to its supported pairs: the mean over all such pairs
    of log(1 + exp(other - supported)), in logits of "supported"."""
    log = functional.log_softmax(outcomes, 1)
    logit = log[:, 0] - torch.logsumexp(log[:, 1:], 1)
    numbers = {name: i for i, name in enumerate(dict.fromkeys(groups))}
    of = torch.tensor([numbers[name] for name in groups])
    supported = truth == int(Truth.SUPPORTED)
    both = (of[:, None] == of[None, :]) & supported[:, None] & ~supported[None, :]
    if not bool(both.any()):
        return outcomes.sum() * 0.0
    return functional.softplus(logit[None, :] - logit[:, None])[both].mean()


def fit(
    model: CrossEncoder,
    examples: Sequence[Example],
    dev: Mapping[str, Sequence[Example]],
    *,
    seed: int,
    folder: Path,
    most: int = 0,
) -> CrossEncoder:
    """Trains in place; at most `most` batches (0: no bound).

    Logs loss and AUROC, and keeps a checkpoint in `folder`. The rate is constant until
    the last steps (Hu et al. 2024, arXiv:2404.06395).
    """
    draw = random.Random(seed)
    short = [one for one in examples if one.size <= MOST_TOKENS]
    plan = list(batches(short, draw))[: most or None]
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
        error = error + _CONTRAST * contrast(outcomes, truth, [one.group for one in plan[step]])
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
            scores = {name: auroc_of(model, some) for name, some in dev.items()}
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
    order = sorted(range(len(examples)), key=lambda i: examples[i].size)
    for at in range(0, len(order), _TESTED):
        some = order[at : at + _TESTED]
        ids, types, mask, _, _ = tensors([examples[i] for i in some])
        with torch.no_grad():
            outcomes, _ = model(ids, types, mask)
        rows[some] = functional.softmax(outcomes, 1).numpy()
    return rows


def auroc_of(model: CrossEncoder, examples: Sequence[Example]) -> float:
    """Of supported against not."""
    true = np.array([one.truth is Truth.SUPPORTED for one in examples])
    return auroc(true, probabilities(model, examples)[:, 0])


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


def mixed(model: CrossEncoder, start: Path, share: float) -> CrossEncoder:
    """Puts `share` of the weights of the checkpoint `start` into the model, in place.

    What was known before is forgotten less (Wortsman et al. 2022, arXiv:2109.01903).
    """
    before = torch.load(start, weights_only=True)["model"]
    now = model.state_dict()
    model.load_state_dict(
        {name: torch.lerp(now[name], before[name], share) if now[name].is_floating_point()
         else now[name] for name in now}
    )  # fmt: skip
    return model


def new_model(
    kept: Sequence[int], special: Sequence[int], seed: int, start: Path | None = None
) -> CrossEncoder:
    """MiniLM with new heads, or the weights of the checkpoint `start`."""
    torch.manual_seed(seed)
    model = CrossEncoder(source_folder(), kept, special)
    if start is not None:
        model.load_state_dict(torch.load(start, weights_only=True)["model"])
    return model
