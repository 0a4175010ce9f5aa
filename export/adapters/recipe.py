"""How an adapter is trained, and in which order. Pure: the same recipe draws the same batches."""

from __future__ import annotations

import hashlib
import json
import math
import random
from dataclasses import asdict, dataclass
from typing import Any

from skerry.export.adapters.pairs import Method

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
RATES = {Method.LORA: 1e-3, Method.RSLORA: 5e-4, Method.DORA: 1e-3, Method.VERA: 1e-2}
"""Learning rates that suited small models; VeRA's vectors learn slowly."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A method and the amount of work.

    Attributes:
        alpha: LoRA's, over the rank (over its root in rsLoRA); VeRA has none.
        epochs: how often each example is seen.
        batch: examples in a step.
        learning_rate: the highest; rises over `warmup` of the steps, then falls by a cosine.
        most_tokens: of an example; longer ones are an error.
        held_out: share of the examples that is measured and not learnt.
        four_bit: QLoRA, the base in NF4 by bitsandbytes; on a GPU only.
    """

    method: Method = Method.LORA
    rank: int = 16
    alpha: float = 32.0
    targets: tuple[str, ...] = TARGETS
    epochs: int = 3
    batch: int = 8
    learning_rate: float = 1e-3
    warmup: float = 0.05
    most_tokens: int = 1024
    held_out: float = 0.1
    seed: int = 0
    four_bit: bool = False

    def __post_init__(self) -> None:
        counts = (self.rank, self.epochs, self.batch, self.most_tokens)
        sizes = (self.alpha, self.learning_rate)
        if min(counts) < 1 or not all(math.isfinite(one) and one > 0 for one in sizes):
            raise ValueError("a recipe's numbers are above zero")
        if not (0 < self.held_out < 1 and 0 <= self.warmup < 1 and self.targets):
            raise ValueError("shares of a recipe are between 0 and 1, and something is trained")

    def steps(self, examples: int) -> int:
        """All steps over so many examples."""
        return self.epochs * math.ceil(examples / self.batch)

    def picked(self, step: int, examples: int) -> list[int]:
        """The examples of a step: every epoch has all of them once, in an order of its own."""
        each = math.ceil(examples / self.batch)
        epoch, place = divmod(step, each)
        order = list(range(examples))
        random.Random(f"{self.seed} {epoch}").shuffle(order)  # noqa: S311  (seeded on purpose)
        return order[place * self.batch : (place + 1) * self.batch]

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate of a step."""
        rising = max(1, round(self.warmup * steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        done = (step - rising) / max(1, steps - rising)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2

    def facts(self) -> dict[str, Any]:
        """For a card, in plain JSON."""
        return asdict(self) | {"method": str(self.method), "targets": list(self.targets)}

    def digest(self, *others: str) -> str:
        """SHA-256 of the recipe and of what it is for."""
        said = json.dumps([self.facts(), *others], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()
