"""Trains the student: layer by layer at first, then as a whole, at last in four bits."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skerry.bundles.gguf.draft_tokens import DraftTokens
from skerry.export.distill.corpus import Corpus
from skerry.export.distill.errors import DistillError
from skerry.export.distill.llama import Llama, Weights
from skerry.export.distill.losses import Reach, candidates, divergence
from skerry.export.distill.plan import Plan

_FREQUENT = 4096
_SAMPLE = 64


@dataclass(frozen=True, slots=True)
class Schedule:
    """`apart`, `rounded`: until and from which share of the `steps` layers learn apart, and
    weights are rounded."""

    steps: int
    tokens: int = 1024
    rate: float = 8e-4
    least_rate: float = 3e-5
    apart: float = 0.12
    rounded: float = 0.7
    warmup: int = 40

    def rate_at(self, step: int) -> float:
        """Linear at first, then a cosine down to the least."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.least_rate + (self.rate - self.least_rate) * (1 + math.cos(math.pi * done)) / 2


@dataclass(frozen=True, slots=True)
class Batch:
    """tokens [rows, tokens], as the student reads them; real and answered [rows, tokens] say which
    are no padding, and after which a token of an answer is chosen; hidden [rows, tokens, taps,
    width]."""

    tokens: Tensor
    real: Tensor
    answered: Tensor
    hidden: Tensor

    def to(self, device: torch.device) -> Batch:
        moved = (self.tokens, self.real, self.answered, self.hidden)
        return Batch(*(one.to(device) for one in moved))


def batch(corpus: Corpus, picked: list[int], read_as: Tensor) -> Batch:
    """The texts `picked`; `read_as` [vocabulary] says what a student reads for each token."""
    texts = [corpus.texts[i] for i in picked]
    longest = max(len(text.tokens) for text in texts)
    first = corpus.hidden(picked[0])
    tokens = torch.zeros(len(texts), longest, dtype=torch.long)
    real, answered = tokens.bool(), tokens.bool()
    hidden = torch.zeros(len(texts), longest, *first.shape[1:])
    for row, (i, text) in enumerate(zip(picked, texts, strict=True)):
        size = len(text.tokens)
        tokens[row, :size] = read_as[torch.tensor(text.tokens)]
        real[row, :size] = True
        answered[row, text.start - 1 : size] = True
        hidden[row, :size] = torch.from_numpy(corpus.hidden(i)).float()
    return Batch(tokens, real, answered, hidden)


def batches(corpus: Corpus, tokens: int, seed: int) -> Iterator[list[int]]:
    """Endless rounds through the texts, in groups of about equal length."""
    draws, sizes = random.Random(seed), [len(text.tokens) for text in corpus.texts]
    while True:
        order = corpus.learnt()
        draws.shuffle(order)
        groups: list[list[int]] = []
        for start in range(0, len(order), 256):
            alike = sorted(order[start : start + 256], key=sizes.__getitem__)
            groups += _grouped(alike, sizes, tokens)
        draws.shuffle(groups)
        yield from groups


def _grouped(order: list[int], sizes: list[int], tokens: int) -> Iterator[list[int]]:
    group: list[int] = []
    for i in order:
        if group and sizes[i] * (len(group) + 1) > tokens:
            yield group
            group = []
        group.append(i)
    yield group


class Learning:
    """A student in training, whatever it is told. `step` is the next one."""

    def __init__(self, student: Llama, schedule: Schedule) -> None:
        self.student, self.schedule, self.step = student.requires_grad_(True), schedule, 0
        self._optimizer = torch.optim.AdamW(
            student.parameters(), lr=schedule.rate, betas=(0.9, 0.95), weight_decay=0.01
        )

    @property
    def done(self) -> float:
        """The share of the steps that is done."""
        return self.step / self.schedule.steps

    def round_weights(self) -> None:
        """Multiplies by what four bits hold, where it is time to."""
        for part in self.student.modules():
            if isinstance(part, Weights):
                part.rounded = self.done >= self.schedule.rounded

    def update(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """Ends a step; its losses by name."""
        self._optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = self.schedule.rate_at(self.step)
        self._optimizer.step()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def save(self, file: Path) -> None:
        state = {
            "step": self.step,
            "student": self.student.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        torch.save(state, file.with_suffix(".partial"))
        file.with_suffix(".partial").replace(file)

    def advance(self) -> dict[str, float]:
        """One step; its losses by name."""
        raise NotImplementedError

    def resume(self, file: Path) -> None:
        """Goes on from a saved state; the order of texts begins anew.

        Raises:
            DistillError: it is of a student with other layers or tokens.
        """
        state: dict[str, Any] = torch.load(
            file, map_location=self.student.device, weights_only=True
        )
        try:
            self.student.load_state_dict(state["student"])
        except RuntimeError as error:
            raise DistillError(
                f"'{file}' is of another student", hint="give another --work, or remove the file"
            ) from error
        self._optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


class Trainer(Learning):
    """A student that learns what its teacher's layers make, and how likely each token is to it."""

    def __init__(
        self, student: Llama, corpus: Corpus, planned: Plan, tokens: DraftTokens,
        schedule: Schedule, *, seed: int,
    ) -> None:  # fmt: skip
        super().__init__(student, schedule)
        self._reached = planned.reached
        self._read_as = torch.from_numpy(tokens.read_as).long()
        self._corpus, self._groups = corpus, batches(corpus, schedule.tokens, seed)
        sample = [torch.from_numpy(corpus.hidden(i)[1:]) for i in corpus.learnt()[:_SAMPLE]]
        self._reach = Reach(torch.cat(sample).to(student.device))
        said = Counter(token for text in corpus.texts for token in text.tokens)
        frequent = torch.tensor([token for token, _ in said.most_common(_FREQUENT)])
        self._frequent = self._read_as[frequent].to(student.device)

    def advance(self) -> dict[str, float]:
        """One step; its losses by name."""
        self.round_weights()
        picked = next(self._groups)
        work = batch(self._corpus, picked, self._read_as).to(self.student.device)
        apart = self.done < self.schedule.apart
        return self.update(self._apart(work) if apart else self._together(work, self.done))

    def _apart(self, work: Batch) -> dict[str, Tensor]:
        """Layers from one tap to the next are given what the teacher made before them."""
        student = self.student
        places = torch.arange(work.tokens.shape[1], device=student.device)
        turns = student.turns(places[None])
        made, losses = student.embedding[work.tokens], {}
        for i, layer in enumerate(student.blk):
            made = layer(made, turns)
            if i not in self._reached:
                continue
            if i == len(student.blk) - 1:
                made = student.output_norm(made)
            tap = self._reached.index(i)
            losses[f"layer{i}"] = self._reach.loss(tap, made, work.hidden[:, :, tap], work.real)
            made = work.hidden[:, :, tap]
        return losses

    def _together(self, work: Batch, done: float) -> dict[str, Tensor]:
        """The student alone, and what it would choose."""
        made = self.student(work.tokens)
        weight = max(0.0, 1 - done / 0.8)
        apart = [
            self._reach.loss(tap, made[layer], work.hidden[:, :, tap], work.real)
            for tap, layer in enumerate(self._reached)
        ]
        among = candidates(work.tokens[work.answered], self._frequent)
        mine = self.student.logits(made[-1][work.answered], among)
        its = self.student.logits(work.hidden[:, :, -1][work.answered], among)
        return {
            "hidden": weight * torch.stack(apart).mean(),
            "divergence": divergence(mine, its),
        }


@torch.no_grad()  # type: ignore[untyped-decorator]
def agreement(
    student: Llama, corpus: Corpus, tokens: DraftTokens, *, most: int = 60
) -> dict[str, float]:
    """By family: how often the student would choose the token of a greedy, held-out answer."""
    said, read_as = (
        torch.from_numpy(one).long().to(student.device) for one in (tokens.said, tokens.read_as)
    )
    right, asked = Counter[str](), Counter[str]()
    for i in corpus.held_out()[:most]:
        text = corpus.texts[i]
        whole = torch.tensor(text.tokens, device=student.device)
        hidden = student(read_as[whole][None])[-1][0, text.start - 1 : -1]
        same = said[student.logits(hidden).argmax(-1)] == whole[text.start :]
        right[text.family] += int(same.sum())
        asked[text.family] += len(same)
    shares = {family: right[family] / asked[family] for family in sorted(asked)}
    return {**shares, "mean": float(np.mean(list(shares.values())))}
