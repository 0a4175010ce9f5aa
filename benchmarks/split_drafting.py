"""What drafts in the benchmark of split inference: the device's own drafter, or its recorded
guesses at the pace that was measured, so that many answers at once do not wait for one processor.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from benchmarks.split_theory import Guess as Kind
from skerry.edge.split.drafter import Drafter, Guess
from skerry.edge.split.lookup import PromptLookup

Drafters = Callable[[], Drafter]

_DRAFTERS: dict[str, Drafters] = {"product": PromptLookup, "lookup": PromptLookup}
_SWITCH = "SKERRY_BENCH_DRAFTER"
_CHEAP_MS = 0.5
_FILLER = Guess(0, 0.6)


def drafters() -> tuple[str, Drafters]:
    """The name and the maker of the drafter to measure: the product's, or what SKERRY_BENCH_DRAFTER
    names (`product`, `lookup`).

    Raises:
        UsageError: there is no drafter of that name.
    """
    name = os.environ.get(_SWITCH, "product")
    if name not in _DRAFTERS:
        raise click.UsageError(f"{_SWITCH} is '{name}'; give one of: {', '.join(_DRAFTERS)}")
    return name, _DRAFTERS[name]


@dataclass(frozen=True, slots=True)
class Guesses:
    """For each token of an answer the drafter's guess, with what is before it right; None where it
    had no idea. `draft_ms` is what a guess took."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    guesses: tuple[Guess | None, ...]
    draft_ms: float

    @property
    def kinds(self) -> list[Kind]:
        pairs = zip(self.guesses, self.answer, strict=True)
        return [_kind(guess, token) for guess, token in pairs]

    @property
    def acceptance(self) -> float:
        """The share of tokens that were guessed right."""
        return self.kinds.count(Kind.RIGHT) / len(self.answer)

    @property
    def silence(self) -> float:
        """The share of tokens before which there was no idea."""
        return self.kinds.count(Kind.NONE) / len(self.answer)


def _kind(guess: Guess | None, token: int) -> Kind:
    if guess is None:
        return Kind.NONE
    return Kind.RIGHT if guess.token == token else Kind.WRONG


def guessed(make: Drafters, prompt: Sequence[int], answer: Sequence[int]) -> Guesses:
    """Asks a drafter before each token of an answer."""
    drafter, so_far = make(), list(prompt)
    found, took = list[Guess | None](), list[float]()
    while drafter.read(so_far):
        pass
    for token in answer:
        began = time.perf_counter()
        guess = drafter.draft(so_far, 1)
        took.append((time.perf_counter() - began) * 1e3)
        found.append(guess[0] if guess else None)
        so_far.append(token)
    drafter.close()
    return Guesses(tuple(prompt), tuple(answer), tuple(found), statistics.median(took))


class Replayed:
    """See `skerry.edge.split.drafter.Drafter`: what was guessed, in the time that it took.

    Right as far as the recorded guesses are, then the one that was wrong; what would follow that is
    never taken, and is filled up.
    """

    def __init__(self, recorded: Guesses) -> None:
        self._recorded = recorded
        self._whole = (*recorded.prompt, *recorded.answer)

    def draft(self, sequence: Sequence[int], most: int) -> list[Guess]:
        guesses = self._chain(sequence, most)
        time.sleep(len(guesses) * self._recorded.draft_ms / 1e3)
        return guesses

    def read(self, sequence: Sequence[int]) -> bool:  # noqa: ARG002
        return False

    def branch(self, sequence: Sequence[int], token: int, most: int) -> list[int]:
        """After a right correction the drafter guesses as it did with what is before right."""
        return [token, *(one.token for one in self.draft([*sequence, token], most - 1))]

    def close(self) -> None:
        """Nothing is held."""

    def _chain(self, sequence: Sequence[int], most: int) -> list[Guess]:
        start = len(sequence) - len(self._recorded.prompt)
        if tuple(sequence) != self._whole[: len(sequence)]:
            return [_FILLER] * most
        guesses = list[Guess]()
        for guess, token in zip(
            self._recorded.guesses[start:], self._whole[len(sequence) :], strict=True
        ):
            if guess is None or len(guesses) == most:
                return guesses
            guesses.append(guess)
            if guess.token != token:
                return guesses + [_FILLER] * (most - len(guesses))
        return guesses


def replayer(make: Drafters, recorded: Guesses) -> Drafters:
    """The drafter itself where it costs next to nothing, else what it guessed."""
    return make if recorded.draft_ms < _CHEAP_MS else lambda: Replayed(recorded)
