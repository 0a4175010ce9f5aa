"""The plain data of conversations. Times are Unix seconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass

ROLES = frozenset({"system", "user", "assistant", "tool"})


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said. `receipt_id` names the receipt of an answer.

    `labels` are the access labels of what it was made from; None where nobody noted them.
    """

    role: str
    text: str
    at: float = 0.0
    receipt_id: str | None = None
    labels: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A conversation without its text. `size_bytes` is of the text in UTF-8."""

    id: str
    created_at: float
    updated_at: float
    turns: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A conversation by the words that it began with: the start of the first question."""

    info: SessionInfo
    words: str


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation with its turns, oldest first."""

    info: SessionInfo
    turns: tuple[Turn, ...]

    @property
    def id(self) -> str:
        return self.info.id


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How large a turn and a whole conversation may grow; more is refused, not cut."""

    turn_bytes: int = 1 << 20
    session_bytes: int = 32 << 20
    session_turns: int = 10_000
