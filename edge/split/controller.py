"""How far the device drafts ahead, and whether it drafts at all. Pure.

After a correction the cloud goes on by itself until the device's next hints arrive: a round trip
later they are behind, and they catch up as much faster as drafting is than a pass. If so many
guesses in a row are hardly ever right, drafting cannot pay, however right the next one is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_WORTH = 0.02
"""Drafting stops where hints would catch up less often than this."""
_REACH = 0.2
"""Guesses that are reached less often than this are not made."""
_UNTRIED = 24
"""So many guesses of a generation are judged before drafting is given up."""
_PRIOR = (3.0, 2.0)
_FADES_AFTER = 200.0
_SMOOTH = 0.2
_LONGEST_BRANCH = 8
_MARGIN = 1.5
_BURST = 6
"""So much longer than a round trip, and so many guesses, a hint may be under way before the cloud
goes on without it."""
_LATE = 1.2
_SURELY = 0.8


@dataclass(slots=True)
class Average:
    """An exponential moving average; None before the first value."""

    value: float | None = None

    def add(self, value: float) -> None:
        old = self.value
        self.value = value if old is None else old + _SMOOTH * (value - old)


@dataclass(slots=True)
class Measured:
    """What is known of one class of requests. Times in seconds.

    `pass_s` is one forward pass of the target, `draft_s` one guess, `rtt_s` a round trip.
    """

    rtt_s: Average = field(default_factory=Average)
    pass_s: Average = field(default_factory=Average)
    draft_s: Average = field(default_factory=Average)
    right: float = 0.0
    wrong: float = 0.0

    @property
    def acceptance(self) -> float:
        """The share of judged guesses that were right; before there are any, a guess at that."""
        right, wrong = self.right + _PRIOR[0], self.wrong + _PRIOR[1]
        return right / (right + wrong)

    def judge(self, right: int, wrong: int) -> None:
        """Old verdicts fade: what is asked changes."""
        self.right, self.wrong = self.right + right, self.wrong + wrong
        if (total := self.right + self.wrong) > _FADES_AFTER:
            self.right *= _FADES_AFTER / total
            self.wrong *= _FADES_AFTER / total


@dataclass(frozen=True, slots=True)
class Plan:
    """At most `depth` guesses beyond what is verified, 0: no drafting; an alternative has at most
    `branch` tokens, 0: there are none."""

    depth: int
    branch: int


@dataclass(slots=True)
class Controller:
    """Decides for one generation; `measured` outlives it. `most` is the deepest draft; `waits`:
    the cloud waits for hints (thrift mode)."""

    measured: Measured
    most: int
    waits: bool = False
    _judged: int = 0

    def judge(self, right: int, wrong: int) -> None:
        """Tells how many guesses were right, and whether the next one was wrong."""
        self.measured.judge(right, wrong)
        self._judged += right + wrong

    @property
    def catch_up(self) -> float:
        """Guesses in a row that must be right before the first one saves a pass."""
        rtt, step, draft = self._times()
        if self.waits:
            return 1.0
        return 1 + rtt / (step - draft) if step > draft else math.inf

    @property
    def pays(self) -> bool:
        """Whether hints catch up often enough, as far as is known."""
        if self._judged < _UNTRIED:
            return True
        return math.pow(self.measured.acceptance, self.catch_up) >= _WORTH

    def plan(self) -> Plan:
        if not self.pays:
            return Plan(0, 0)
        rtt, step, draft = self._times()
        gap = rtt / max(draft if self.waits else step, 1e-3)
        return Plan(self.most, min(_LONGEST_BRANCH, 2 + math.ceil(gap)))

    @property
    def patience_s(self) -> float:
        """How long the cloud had better wait for hints before each pass; 0: not at all.

        With `m = 1 / (1 - a)` tokens between corrections, pass `s` and wait `w`, waiting gives
        `m / (s + w)` tokens a second, and not waiting `(1 + m) / 2s`, where new hints come a pass
        after a correction: it is faster where `w / s < a / (2 - a)`, of which a part is taken.
        """
        known = self.measured
        if known.rtt_s.value is None or known.pass_s.value is None or known.draft_s.value is None:
            return 0.0
        round_s = known.rtt_s.value + 2 * known.draft_s.value
        accepted = known.acceptance
        bound = _SURELY * accepted / (2 - accepted) * known.pass_s.value
        if round_s * _LATE >= bound:
            return 0.0
        return _MARGIN * known.rtt_s.value + _BURST * known.draft_s.value

    def worth_guessing(self, reach: float) -> bool:
        """Whether a guess that is reached with these odds is worth its bytes: how deep a draft goes
        is a matter of its own guesses, not of how often others were right."""
        return reach >= _REACH

    def _times(self) -> tuple[float, float, float]:
        """Round trip, pass and guess; before they are known, those of a common link and model."""
        known = self.measured
        return known.rtt_s.value or 0.05, known.pass_s.value or 0.04, known.draft_s.value or 0.008
