"""What the device has guessed beyond what is verified. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import Draft, Tokens
from skerry.cloud.hints.prefix import common
from skerry.cloud.hints.trace import trace
from skerry.edge.split.drafter import Guess


@dataclass(frozen=True, slots=True)
class Fork:
    """A place where the target may correct the guess: the token that may stand at `position`, and
    the odds that it comes to that."""

    position: int
    token: int
    odds: float


class Ahead:
    """A sequence whose beginning is verified, and whose end is guessed.

    `prompt` are its first tokens, of which the last `generated` were generated before. Frames
    count positions from `begins` on. `drafted`
    and `hit` count guesses that were sent, and those of them that the target chose; `right` and
    `wrong` are of the last verdict.
    """

    def __init__(self, prompt: Sequence[int], generated: int = 0) -> None:
        self._prompt = len(prompt) - generated
        self.sequence = list(prompt)
        """Verified tokens, and then guessed ones."""
        self.verified = self.begins = len(prompt)
        self.drafted = self.hit = self.right = self.wrong = 0
        self._guesses: list[Guess] = []
        self._branches: dict[int, list[int]] = {}

    @property
    def depth(self) -> int:
        """Tokens that are guessed."""
        return len(self.sequence) - self.verified

    @property
    def reach(self) -> float:
        """The odds that all guesses are right."""
        return list(accumulate((one.odds for one in self._guesses), mul, initial=1.0))[-1]

    @property
    def generated(self) -> list[int]:
        """Tokens that are verified and not of the prompt."""
        return self.sequence[self._prompt : self.verified]

    def guess(self, guesses: Sequence[Guess]) -> Draft:
        """Adds guesses; the hint to send."""
        tokens = tuple(one.token for one in guesses)
        hint = self._hint(len(self.sequence), tokens)
        self.sequence += hint.tokens
        self._guesses += guesses
        self.drafted += len(guesses)
        return hint

    def fork(self) -> Fork | None:
        """The likeliest correction that is not guessed yet."""
        reach, best = 1.0, None
        for position, one in enumerate(self._guesses, self.verified):
            odds = reach * (1 - one.odds)
            untold = one.instead is not None and position not in self._branches
            if untold and (best is None or odds > best.odds):
                assert one.instead is not None
                best = Fork(position, one.instead, odds)
            reach *= one.odds
        return best

    def branch(self, fork: Fork, tokens: Sequence[int]) -> Draft:
        """Notes what is guessed to follow a correction; the hint to send."""
        self._branches[fork.position] = list(tokens)
        self.drafted += len(tokens)
        return self._hint(fork.position, tuple(tokens))

    def no_idea(self) -> Draft:
        """The hint that says that nothing is guessed to follow what is verified."""
        return self._hint(self.verified, ())

    def _hint(self, position: int, tokens: tuple[int, ...]) -> Draft:
        return Draft(position - self.begins, tokens, trace(self.sequence[position - 1]))

    def verify(self, frame: Tokens) -> bool:
        """Takes what the target has chosen. False: it was guessed wrong; what is guessed now is
        what was to follow that correction, if it was foreseen.

        Raises:
            ProtocolError: the tokens are not for the next position.
        """
        expected = self.verified - self.begins
        if frame.position != expected:
            raise ProtocolError(
                f"the cloud sent tokens for position {frame.position}, not {expected}"
            )
        end = self.verified + len(frame.tokens)
        same = common(self.sequence[self.verified : end], frame.tokens)
        self.right, self.wrong = same, int(same < min(self.depth, len(frame.tokens)))
        kept = self._kept(frame.tokens, same, end)
        self.sequence[self.verified :] = [*frame.tokens, *kept]
        self.verified = end
        self._branches = {at: one for at, one in self._branches.items() if at >= end}
        return not self.wrong

    def _kept(self, tokens: Sequence[int], same: int, end: int) -> list[int]:
        """What is still guessed beyond `end`, where the first `same` of the tokens were guessed."""
        self.hit += same
        if same == len(tokens):
            self._guesses = self._guesses[same:]
            return self.sequence[end:]
        branch = self._branches.get(self.verified + same, []) if self.wrong else []
        foreseen = common(branch, tokens[same:])
        self.hit += foreseen
        self._branches.clear()
        kept = branch[foreseen:] if foreseen == len(tokens) - same else []
        self._guesses = [Guess(token, 0.5) for token in kept]
        return kept
