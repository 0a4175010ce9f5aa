"""What drafts in the benchmark of split inference: the device's own drafter, or its recorded
guesses at the pace that was measured, so that many answers at once do not wait for one processor.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.split_theory import Guess as Kind
from skerry.edge.device import device_state
from skerry.edge.split.drafter import Drafter, Guess
from skerry.edge.split.drafting import BUILT_IN, Drafting
from skerry.edge.split.lookup import PromptLookup
from skerry.edge.split.preview import SplitPreview

Drafters = Callable[[SplitPreview], Drafter]

_SWITCH = "SKERRY_BENCH_DRAFTER"
_CHEAP_MS = 0.5
_FILLER = Guess(0, 0.6)


@contextmanager
def drafters() -> Iterator[tuple[str, Drafters]]:
    """What drafts, in words, and its maker: the product's, or what SKERRY_BENCH_DRAFTER names:
    `product`, `lookup` (copying alone), or the file of a draft model.

    Raises:
        UsageError: it names none of these.
    """
    wanted = os.environ.get(_SWITCH, "product")
    path = BUILT_IN if wanted == "product" else Path(wanted)
    if wanted == "lookup" or (wanted == "product" and not path.is_file()):
        yield "copying alone", lambda _: PromptLookup()
        return
    if not path.is_file():
        raise click.UsageError(f"{_SWITCH} is '{wanted}': give product, lookup or a GGUF file")
    with closing(Drafting(path, threads=1, state=device_state, wanted=True)) as made:
        yield f"copying, then {path.name}", made


@dataclass(frozen=True, slots=True)
class Guesses:
    """For each token of an answer the drafter's guess, with what is before it right, and what it
    took; None where it had no idea."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    guesses: tuple[Guess | None, ...]
    took_ms: tuple[float, ...]

    @property
    def draft_ms(self) -> float:
        """What a guess takes; the mean."""
        return statistics.fmean(self.took_ms)

    @property
    def costs(self) -> bool:
        """Whether a tenth of the guesses took the processor for long."""
        return sorted(self.took_ms)[len(self.took_ms) * 9 // 10] >= _CHEAP_MS

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


def guessed(drafter: Drafter, prompt: Sequence[int], answer: Sequence[int]) -> Guesses:
    """Asks a drafter before each token of an answer, and closes it."""
    so_far, found, took = list(prompt), list[Guess | None](), list[float]()
    with closing(drafter):
        while drafter.read(so_far):
            pass
        for token in answer:
            began = time.perf_counter()
            found.append(_next(drafter, so_far))
            took.append((time.perf_counter() - began) * 1e3)
            so_far.append(token)
    return Guesses(tuple(prompt), tuple(answer), tuple(found), tuple(took))


def _next(drafter: Drafter, so_far: Sequence[int]) -> Guess | None:
    while (guesses := drafter.draft(so_far, 1)) is None:
        pass
    return guesses[0] if guesses else None


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
        start = len(sequence) - len(self._recorded.prompt)
        known = self._recorded.took_ms[start : start + len(guesses)]
        unknown = len(guesses) - len(known)
        time.sleep((sum(known) + unknown * self._recorded.draft_ms) / 1e3)
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


def replayer(make: Drafters, preview: SplitPreview, recorded: Guesses) -> Callable[[], Drafter]:
    """Makes the drafter itself where it costs next to nothing, else one that says what it did."""
    return (lambda: Replayed(recorded)) if recorded.costs else (lambda: make(preview))
