"""Which tokens of a chat are learnt: those that the assistant says, with what ends it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from skerry.export.adapters.examples import Message
from skerry.export.errors import Unsupported

Render = Callable[[Sequence[Message], bool], str]
"""The text of messages by the model's chat template; True: with the beginning of an answer."""

UNLEARNT = -100
"""The label of a token that is not learnt; torch's cross-entropy leaves it out."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chat as text; `answers` are the places (start, end) of what is learnt."""

    text: str
    answers: tuple[tuple[int, int], ...]


def rendered(messages: Sequence[Message], render: Render) -> Rendered:
    """The text of a chat, and where its answers are, with what ends each.

    Raises:
        Unsupported: the template says something else of a chat's beginning than of the whole.
    """
    whole = render(messages, False)
    answers = []
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        before = render(messages[:place], True)
        until = render(messages[: place + 1], False)
        if not (until.startswith(before) and whole.startswith(until)):
            raise Unsupported(
                "the model's chat template changes earlier messages when later ones come",
                hint="train on chats with one answer, or another model",
            )
        answers.append((len(before), len(until.rstrip())))
    return Rendered(whole, tuple(answers))


def labels(
    ids: Sequence[int], offsets: Sequence[tuple[int, int]], answers: Sequence[tuple[int, int]]
) -> list[int]:
    """The label of each token: its id where it begins within an answer, otherwise UNLEARNT.

    Args:
        offsets: the place (start, end) of each token in the text.
    """
    return [
        token if any(start <= begin < end for start, end in answers) and last > begin else UNLEARNT
        for token, (begin, last) in zip(ids, offsets, strict=True)
    ]
