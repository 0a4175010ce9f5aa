"""The plain data of reviews. Times are Unix seconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from skerry.edge.errors import InputError


class ReviewNotFound(InputError):
    """No review, or more than one, goes by that id."""

    code = "review_not_found"


class Status(StrEnum):
    """`waiting` for a person, `answered` by one, or `corrected`: a person judged a given answer."""

    WAITING = "waiting"
    ANSWERED = "answered"
    CORRECTED = "corrected"


class Judgement(StrEnum):
    """What a person says of an answer that was given."""

    RIGHT = "right"
    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    UNSAFE = "unsafe"
    SHOULD_REFUSE = "should_refuse"
    SHOULD_ANSWER = "should_answer"


@dataclass(frozen=True, slots=True)
class Source:
    """A source that was at hand, word for word, whatever becomes of the document."""

    mark: int
    title: str
    version: str
    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One request before a person.

    `id` is that of its receipt, which has the whole trace: route, reasons, findings, steps.
    `why` says in words why a person is needed, empty for a correction. `shown` is what the one who
    asked was told meanwhile. `answer`, `by` and `done_at` are the person's; `judgement` is of a
    correction alone. `deadline_at` is None where nobody waits. `urgency`, in [0, 3], is how grave
    what was found is (`making.urgency_of`); 0 in those that an earlier version kept.
    """

    id: str
    created_at: float
    deadline_at: float | None
    status: Status
    question: str
    why: str
    shown: str
    sources: tuple[Source, ...] = ()
    session: str | None = None
    answer: str | None = None
    judgement: Judgement | None = None
    by: str | None = None
    done_at: float | None = None
    urgency: float = 0.0

    def is_late(self, now: float) -> bool:
        """Whether it still waits past its deadline."""
        waits = self.status is Status.WAITING and self.deadline_at is not None
        return waits and self.deadline_at is not None and now > self.deadline_at
