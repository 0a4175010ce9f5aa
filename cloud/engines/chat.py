"""Chats for templates that are strict. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.cloud.hints.frames import Message


def without_system(messages: Sequence[Message]) -> list[Message] | None:
    """The same, with what the system says in front of the first question, for templates that know
    no such role (Gemma's); None: it does not begin so."""
    match list(messages):
        case [Message("system", rules), Message("user", question), *rest]:
            return [Message("user", f"{rules}\n\n{question}"), *rest]
        case _:
            return None
