"""The words of a name, and what stands for each: so that every form of it stays one person.

"Ada Lovelace", "Lovelace" and "Ada" share the surrogates of their words. Titles are no part of a
name here, and initials follow the first name that they are known to stand for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_WORDS = Path(__file__).parent / "words.toml"
_PARTICLE = r"(?:van|von|der|den|de|del|da|di|du|la|le|bin|ibn|al|el|ap)"
_NAME_WORD = re.compile(
    rf"(?:{_PARTICLE}[ ]){{0,3}}[^\W\d_]+(?:['’][^\W\d_]+)*(?:\.(?=\s|$))?", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+[a-z]?")
_TAILS = frozenset(
    """
    street road lane avenue drive close crescent way court hill gardens square place terrace row
    walk grove mews parade boulevard rd ave st dr ln blvd hospital infirmary clinic surgery centre
    center practice university college school academy ltd limited llp llc inc plc corp group bank
    trust pharmacy partners holdings consulting insurance health medical general primary high
    memorial royal dental services foundation company co city town county
    """.split()
)
_HEADS = frozenset("the royal university college school bank flat apt suite unit of".split())


@cache
def invented(kind: str) -> tuple[str, ...]:
    """The words of `words.toml`: `first`, `last`, `place` or `organisation`."""
    document = tomllib.loads(_WORDS.read_text(encoding="utf-8"))
    return tuple(document[kind].split())


@dataclass(frozen=True, slots=True)
class NameWord:
    """A word of a name at `start`, and which list its surrogate is from; `last` for a surname."""

    text: str
    start: int
    kind: str

    @property
    def is_initial(self) -> bool:
        return len(self.text.rstrip(".")) == 1


def name_words(name: str) -> Iterator[NameWord]:
    """The words of a person's name, particles with the word that they lead to."""
    found = list(_NAME_WORD.finditer(name))
    turned = "," in name
    for number, match in enumerate(found):
        surname = number == 0 if turned else number == len(found) - 1
        text = match.group()
        if len(text.rstrip(".")) > 1:
            text = text.rstrip(".")
        yield NameWord(text, match.start(), "last" if surname else "first")


def core(name: str) -> tuple[int, int]:
    """Which part of a place's or an organisation's name tells it from others of its kind.

    All of it, if that is nothing but words such as "General Hospital".
    """
    words = [(match.start(), match.end()) for match in re.finditer(r"[^\s,]+", name)]
    plain = [name[start:end].lower().strip(".,'’") for start, end in words]
    first, last = 0, len(words)
    while last > first and plain[last - 1] in _TAILS:
        last -= 1
    while first < last and (plain[first] in _HEADS or _NUMBER.fullmatch(plain[first])):
        first += 1
    if first >= last:
        return 0, len(name)
    return words[first][0], words[last - 1][1]
