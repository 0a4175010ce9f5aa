"""What the device has guessed beyond what is verified. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.errors import ProtocolError
from skerry.cloud.hints.frames import Draft, Tokens
from skerry.cloud.hints.prefix import common


class Ahead:
    """A sequence whose beginning is verified, and whose end is guessed.

    `prompt` are its first tokens. `drafted` and `hit` count guesses that were sent, and those of
    them that the target chose.
    """

    def __init__(self, prompt: Sequence[int]) -> None:
        self._prompt = len(prompt)
        self.sequence = list(prompt)
        """Verified tokens, and then guessed ones."""
        self.verified = len(prompt)
        self.drafted = 0
        self.hit = 0

    @property
    def depth(self) -> int:
        """Tokens that are guessed."""
        return len(self.sequence) - self.verified

    @property
    def generated(self) -> list[int]:
        """Tokens that are verified and not of the prompt."""
        return self.sequence[self._prompt : self.verified]

    def guess(self, tokens: Sequence[int]) -> Draft:
        """Adds guesses; the hint to send."""
        hint = Draft(len(self.sequence), tuple(tokens))
        self.sequence += tokens
        self.drafted += len(tokens)
        return hint

    def verify(self, frame: Tokens) -> bool:
        """Takes what the target has chosen. False: the guesses were wrong, and are forgotten.

        Raises:
            ProtocolError: the tokens are not for the next position.
        """
        if frame.position != self.verified:
            raise ProtocolError(
                f"the cloud sent tokens for position {frame.position}, not {self.verified}"
            )
        end = self.verified + len(frame.tokens)
        guessed = self.sequence[self.verified : end]
        same = common(guessed, frame.tokens)
        self.hit += same
        right = same == len(guessed) or same == len(frame.tokens)
        kept = self.sequence[end:] if same == len(frame.tokens) else []
        self.sequence[self.verified :] = [*frame.tokens, *kept]
        self.verified = end
        return right
