"""A small task to try an adapter on: a note from triage is answered with its code.

The notes are made up from a seed; no person is in them. `CP/20m/P1` is chest pain for twenty
minutes, to be seen first. A small chat model does not know the codes and answers in prose.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

from skerry.export.adapters.examples import Message
from skerry.export.errors import OutputFailed

SYSTEM = "Code the note: complaint/since/priority."
_COMPLAINTS = {
    "CP": ("chest pain", "a tight chest", "pressure on the chest"),
    "SOB": ("short of breath", "trouble breathing", "breathless"),
    "HA": ("headache", "a throbbing head", "a migraine"),
    "AP": ("belly pain", "stomach cramps", "a sore abdomen"),
    "FV": ("fever", "a high temperature", "shivers and heat"),
    "BK": ("back pain", "a stiff lower back", "backache"),
    "RS": ("a rash", "itchy red skin", "spots on the arms"),
    "CG": ("a cough", "coughing", "a dry cough"),
    "DZ": ("dizzy", "light-headed", "the room spins"),
    "SP": ("a sprained ankle", "a twisted knee", "a swollen wrist"),
}
_UNITS = {"m": ("minutes", "min"), "h": ("hours", "hrs"), "d": ("days", "d")}
_PRIORITIES = {
    "P1": ("looks grey", "cannot speak in sentences", "getting worse fast"),
    "P2": ("in some distress", "pale", "in pain when moving"),
    "P3": ("comfortable", "walking about", "well otherwise"),
}
_FORMS = (
    "{age} y, {complaint} for {count} {unit}, {look}.",
    "Patient of {age}: {complaint} since {count} {unit}; {look}.",
    "{look}, aged {age}. Has {complaint}. Began {count} {unit} ago.",
    "{count} {unit} of {complaint}. {age} years old. {look}",
)


def chats(*, seed: int) -> Iterator[tuple[Message, ...]]:
    """Chats without end, each a note and its code."""
    draw = random.Random(seed)  # noqa: S311  (seeded on purpose)
    while True:
        code, unit, priority = (
            draw.choice(list(among)) for among in (_COMPLAINTS, _UNITS, _PRIORITIES)
        )
        count = draw.randint(2, 50)
        note = draw.choice(_FORMS).format(
            age=draw.randint(18, 94), complaint=draw.choice(_COMPLAINTS[code]), count=count,
            unit=draw.choice(_UNITS[unit]), look=draw.choice(_PRIORITIES[priority]),
        )  # fmt: skip
        yield (
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": note},
            {"role": "assistant", "content": f"{code}/{count}{unit}/{priority}"},
        )


def write_task(out: Path, *, examples: int, seed: int) -> None:
    """Writes so many examples as JSON lines, into a new file.

    Raises:
        OutputFailed: there is such a file, or it cannot be written.
    """
    made = chats(seed=seed)
    lines = (json.dumps({"messages": next(made)}) + "\n" for _ in range(examples))
    try:
        with out.open("x", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise OutputFailed(
            f"'{out}' cannot be written: {error.strerror}", hint="give a new file"
        ) from error
