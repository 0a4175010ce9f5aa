"""Behavioural distillation: a student learns texts that a teacher wrote, by cross-entropy.

Where a teacher's logits and layers are not open, or it has other tokens, its text is all there is
(Kim and Rush, arXiv:1606.07947). Beside the logit distillation of `train`, with the same students.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from skerry.bundles.gguf.draft_tokens import DraftTokens
from skerry.export.adapters.examples import Example
from skerry.export.distill.corpus import HIDDEN, TEXTS, Corpus, Text
from skerry.export.distill.errors import DistillError
from skerry.export.distill.llama import Llama
from skerry.export.distill.train import Learning, Schedule, batches
from skerry.export.distill.words import Words

_RATE, _LEAST_RATE = 3e-4, 1e-5


def write_texts(folder: Path, chats: Iterable[Example], words: Words, *, longest: int) -> int:
    """Writes chats as tokens into a corpus' folder, in place of what it had; returns how many.

    Raises:
        DistillError: none is short enough, the folder has texts with their states (`write`), or it
            cannot be written.
    """
    if (folder / HIDDEN).exists():
        raise DistillError(
            f"'{folder}' has texts with what a teacher's layers made of them",
            hint="give another --work",
        )
    made = (Text("chat", *words.answered(one.messages), warmth=0.0) for one in chats)
    kept = [one for one in made if len(one.tokens) <= longest]
    if not kept:
        raise DistillError(f"no chat has {longest} tokens or fewer", hint="give more --longest")
    partial = folder / f".{TEXTS}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as out:
            out.writelines(json.dumps(asdict(one)) + "\n" for one in kept)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(folder / TEXTS)
    except OSError as error:
        raise DistillError(f"'{folder}' cannot be written: {error.strerror}") from error
    return len(kept)


def schedule(steps: int, *, tokens: int = 1024) -> Schedule:
    """Gentler than logit distillation's: the student has been something before."""
    return Schedule(steps, tokens=tokens, rate=_RATE, least_rate=_LEAST_RATE, apart=0.0)


class TextTrainer(Learning):
    """A student that learns a corpus of texts; no hidden states are needed."""

    def __init__(
        self, student: Llama, corpus: Corpus, tokens: DraftTokens, schedule: Schedule, *, seed: int
    ) -> None:
        super().__init__(student, schedule)
        self._corpus, self._groups = corpus, batches(corpus, schedule.tokens, seed)
        self._said, self._read_as = (
            torch.from_numpy(one).long() for one in (tokens.said, tokens.read_as)
        )

    def advance(self) -> dict[str, float]:
        """One step; its loss in nats per token of an answer."""
        self.round_weights()
        scores, wanted = self._scored(next(self._groups))
        return self.update({"cross_entropy": functional.cross_entropy(scores, wanted)})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def measured(self) -> dict[str, float]:
        """On texts that are not learnt: the loss in nats per token of an answer, and how often the
        likeliest token is the answer's."""
        loss, right, count = 0.0, 0, 0
        for one in self._corpus.held_out():
            scores, wanted = self._scored([one])
            loss += float(functional.cross_entropy(scores, wanted, reduction="sum"))
            right, count = right + int((scores.argmax(-1) == wanted).sum()), count + len(wanted)
        shares = (loss / max(1, count), right / max(1, count))
        return dict(zip(("loss_nats", "token_agreement"), shares, strict=True))

    def _scored(self, picked: list[int]) -> tuple[Tensor, Tensor]:
        """The student's scores [tokens, vocabulary] for what is learnt, and those tokens."""
        read, wanted = self._batch(picked)
        hidden = self.student(read)[-1][:, :-1]
        learnt = wanted >= 0
        return self.student.logits(hidden[learnt]), wanted[learnt]

    def _batch(self, picked: list[int]) -> tuple[Tensor, Tensor]:
        """What the student reads [rows, tokens], and what it is to say after each token but the
        last; -1 where that is not learnt: in questions, and where it has no such token."""
        texts = [self._corpus.texts[i] for i in picked]
        longest = max(len(text.tokens) for text in texts)
        read = torch.zeros(len(texts), longest, dtype=torch.long)
        wanted = torch.full((len(texts), longest - 1), -1)
        for row, text in enumerate(texts):
            whole = torch.tensor(text.tokens)
            mine = self._read_as[whole]
            read[row, : len(whole)] = mine
            sayable = torch.where(self._said[mine] == whole, mine, -1)
            wanted[row, text.start - 1 : len(whole) - 1] = sayable[text.start :]
        return read.to(self.student.device), wanted.to(self.student.device)
