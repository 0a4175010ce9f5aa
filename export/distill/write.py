"""The teacher writes: answers to prompts, many at once.

Text of the teacher's own is worth about three times as many tokens of other text: the student is
asked about just such text when it drafts. What some of the teacher's layers make of each token is
kept, so that the teacher runs once for all rounds of training.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from skerry.export.distill.corpus import Hidden, Text
from skerry.export.distill.llama import Llama, Memory
from skerry.export.distill.prompts import Prompt
from skerry.export.distill.words import Words

LONGEST = 512
_CANDIDATES = 50
_WARMTHS = (0.0, 0.0, 0.0, 0.7)  # most of what is drafted is greedy
_LENGTHS = (64, 96, 128, 160)
_ASKING = 1.0  # the temperature of prompts that the teacher makes up
_LONGEST_QUESTION = 100
_SHORTEST = 4


@dataclass(slots=True, eq=False)
class _Writing:
    """A text in work. While `asking`, the teacher makes up its prompt."""

    family: str
    tokens: list[int]
    start: int
    most: int
    warmth: float
    asking: bool
    hidden: list[Hidden] = field(default_factory=list)

    @property
    def held(self) -> int:
        """Tokens that the teacher has seen."""
        return sum(len(one) for one in self.hidden)


class Writer:
    """`width` texts at once. `taps` are the teacher's layers whose results are kept."""

    def __init__(
        self, teacher: Llama, words: Words, prompts: Iterator[Prompt], *, taps: Sequence[int],
        width: int, seed: int,
    ) -> None:  # fmt: skip
        self._teacher, self._words, self._prompts = teacher, words, prompts
        self._taps = list(taps)
        self._memory = Memory(teacher.shape, width, LONGEST, device=teacher.device)
        self._random, self._draws = random.Random(seed), np.random.default_rng(seed)
        self._rows: list[_Writing] = []
        self._width = width

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def write(self, *, seconds: float) -> Iterator[tuple[Text, Hidden]]:
        """Texts with their hidden states, as they are finished, until the time is up."""
        until = time.monotonic() + seconds
        self._rows = [self._begun(row) for row in range(self._width)]
        while time.monotonic() < until:
            for row, one in enumerate(self._rows):
                if self._ended(one):
                    if not one.asking and one.held - one.start > _SHORTEST:
                        seen = one.tokens[: one.held]
                        text = Text(one.family, seen, one.start, one.warmth)
                        yield text, np.concatenate(one.hidden)
                    self._rows[row] = self._begun(row)
            self._step()

    def _begun(self, row: int) -> _Writing:
        """A new text in a row of the memory, with its first token."""
        most = self._random.choice(_LENGTHS)
        while True:
            prompt = next(self._prompts)
            asking = prompt.starts is not None
            tokens = (
                self._words.begun(prompt.messages, prompt.starts or "")
                if asking
                else self._words.asked(prompt.messages)
            )
            if len(tokens) + most + (_LONGEST_QUESTION if asking else 0) < LONGEST - 16:
                break
        warmth = _ASKING if asking else self._random.choice(_WARMTHS)
        made = _Writing(prompt.family, tokens, len(tokens), most, warmth, asking)
        self._prefill(made, row)
        return made

    def _prefill(self, one: _Writing, row: int) -> None:
        results = self._teacher.begin(one.tokens, self._memory, row)
        one.hidden = [self._tapped(results)[0]]
        row_of = self._teacher.logits(results[-1][0, -1]).cpu().numpy()
        one.tokens.append(self._chosen(row_of, one.warmth))

    def _tapped(self, results: list[Tensor]) -> Hidden:
        """[rows, tokens, taps, width]"""
        made: Hidden = torch.stack([results[tap] for tap in self._taps], 2).half().cpu().numpy()
        return made

    def _step(self) -> None:
        device = self._teacher.device
        tokens = torch.tensor([one.tokens[-1] for one in self._rows], device=device)
        places = torch.tensor([len(one.tokens) - 1 for one in self._rows], device=device)
        results = self._teacher.step(tokens, self._memory, places)
        logits = self._teacher.logits(results[-1][:, 0]).cpu().numpy()
        hidden = self._tapped(results)
        for row, one in enumerate(self._rows):
            one.hidden.append(hidden[row])
            one.tokens.append(self._chosen(logits[row], one.warmth))
            if one.asking and one.tokens[-1] in self._words.ends:
                self._answer(one, row)

    def _answer(self, one: _Writing, row: int) -> None:
        """The prompt is made up: now its answer is written."""
        one.tokens += self._words.answer_mark
        one.start, one.asking = len(one.tokens), False
        one.warmth = self._random.choice(_WARMTHS)
        self._prefill(one, row)

    def _ended(self, one: _Writing) -> bool:
        written = len(one.tokens) - one.start
        if one.asking:
            return written > _LONGEST_QUESTION
        return one.tokens[one.held - 1] in self._words.ends or written > one.most

    def _chosen(self, row: np.ndarray[tuple[int], np.dtype[np.float32]], warmth: float) -> int:
        if warmth == 0:
            return int(row.argmax())
        ids = np.argpartition(row, -_CANDIDATES)[-_CANDIDATES:]
        noise = self._draws.gumbel(size=_CANDIDATES)
        return int(ids[(row[ids] / warmth + noise).argmax()])
