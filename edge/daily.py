"""Days of the week in a question: how much of them a passage tells. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from skerry.edge.followup import Asked
from skerry.guardrails.passages import Passage
from skerry.guardrails.sentences import sentences
from skerry.guardrails.weekdays import days_asked, days_covered, days_told
from skerry.guardrails.words import content_stems

_TIMES = content_stems("weekend weekends weekday weekdays today tonight tomorrow now moment")
"""Words for days that a passage need not repeat."""
_POINTS_BACK = re.compile(r"\b(?:it|its|they|them|their|these|this|that|we|then)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Days:
    """The days of the week that are asked about; none where the question is of any day.

    `words` are the stems of what is asked about them.
    """

    asked: frozenset[str]
    words: frozenset[str] = frozenset()

    @classmethod
    def of(cls, asked: Asked, today: date) -> Days:
        """Those of the question itself, or what it keeps of the one before it."""
        days = days_asked(asked.matter, today) or days_asked(asked.kept, today)
        return cls(days, content_stems(asked.text) - content_stems(" ".join(days)) - _TIMES)

    @property
    def are_several(self) -> bool:
        return len(self.asked) > 1

    def share(self, passage: Passage) -> float:
        """The share of the days asked about that a passage tells, 0 to 1; 0 where none is asked."""
        return len(self._told(passage)) / len(self.asked) if self.asked else 0.0

    def is_of_others(self, passage: Passage) -> bool:
        """Whether a passage tells of days, and of none that is asked about."""
        if not self.asked:
            return False
        told = _days_of(passage, text := self._telling(passage))
        return bool(told) and not self.asked & (told | days_covered(text))

    def words_of(self, passage: Passage) -> frozenset[str]:
        """The words for the days asked about that a passage tells in another way: those of
        "Tuesday to Friday"."""
        told = self._told(passage)
        return content_stems(" ".join(told)) | _TIMES if told else frozenset()

    def _told(self, passage: Passage) -> frozenset[str]:
        return self.asked & _days_of(passage, self._telling(passage)) if self.asked else self.asked

    def _telling(self, passage: Passage) -> str:
        """What of a passage says when: the sentence that has most of what is asked, and any other
        that points back to it. "The cheese stall comes on Tuesdays" says nothing of the fish."""
        spoken = passage.spoken
        parts = [spoken[start:end] for start, end in sentences(spoken)]
        shared = [len(self.words & content_stems(one)) for one in parts]
        if passage.header or len(parts) < 2 or not days_told(parts[shared.index(max(shared))]):
            return spoken
        return " ".join(
            one
            for one, has in zip(parts, shared, strict=True)
            if has == max(shared) or _POINTS_BACK.search(one)
        )


def _days_of(passage: Passage, text: str) -> frozenset[str]:
    """The days that the text names, or else the heading that the passage is under."""
    heading = passage.about.rstrip("\n").rpartition("\n")[2]
    return days_told(text) or days_told(heading)
