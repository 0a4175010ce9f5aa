"""One question to the runtime, with everything that the caller may say about it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from skerry.edge.engines.base import Message, Sampling
from skerry.edge.errors import InputError
from skerry.edge.types import Consent, LatencyBudget, Sensitivity

if TYPE_CHECKING:
    from skerry.edge.escalate import Preview

MAX_QUESTION_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. None takes the runtime's own setting.

    `session` continues a conversation that the device keeps; `history` is one that the caller
    keeps. `labels` are the access labels that the caller holds. `offline` keeps this request on
    the device. `as_of` (Unix seconds) asks what was in force then. `approve` is shown exactly
    what would leave the device when policy wants a person's consent; without it nothing
    leaves. `max_tokens` bounds the answer.
    """

    question: str
    session: str | None = None
    history: Sequence[Message] = ()
    instructions: str = ""
    model: str | None = None
    adapter: str | None = None
    consent: Consent | None = None
    sensitivity: Sensitivity = Sensitivity.PUBLIC
    labels: frozenset[str] | None = None
    domain: str | None = None
    offline: bool = False
    as_of: float | None = None
    budget: LatencyBudget | None = None
    max_tokens: int | None = None
    sampling: Sampling | None = None
    stop: Sequence[str] = ()
    grammar: str | None = None
    approve: Callable[[Preview], bool] | None = None
    cancel: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Raises InputError for a question that is empty, too long or not text, and for a consent
        or sensitivity that is none: what nobody understands must not open the way."""
        if self.consent is not None:
            object.__setattr__(self, "consent", _consent(self.consent))  # frozen; a text is taken
        if not isinstance(self.sensitivity, Sensitivity):
            raise InputError(
                f"{self.sensitivity!r} is no sensitivity", hint="use skerry.edge.types.Sensitivity"
            )
        if not self.question.strip():
            raise InputError("the question is empty", hint="ask something")
        if len(self.question) > MAX_QUESTION_CHARACTERS:
            raise InputError(
                f"the question has {len(self.question):,} characters; "
                f"at most {MAX_QUESTION_CHARACTERS:,} are taken",
                hint="put long texts into the index with `skerry index add`",
            )
        if "\x00" in self.question:
            raise InputError("the question contains a NUL byte", hint="remove it")
        try:
            self.question.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"the question is not valid text (lone surrogate at character {error.start})",
                hint="decode it as UTF-8 first",
            ) from None


def _consent(given: str) -> Consent:
    """The consent itself: policy compares by identity, which a text of the same letters fails."""
    try:
        return Consent(given)
    except ValueError:
        raise InputError(f"{given!r} is no consent", hint="never, ask or granted") from None
