"""Edits of a sentence that its passage supports, so that it no longer does. Seeded, no I/O.

Each edit gives the new sentence, what is wrong with it and where, or None where it does not apply.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from skerry.guardrails.train.grounding.lexicon import Lexicon
from skerry.guardrails.train.grounding.pair import Span, Truth, capital

NUMBER = re.compile(r"(?<![\w.,:-])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w:]|[.,]\d)")
NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]{2,}(?: [A-Z][a-z]+)*\b|\b[A-Z]{2,6}\d?\b")
_CLOCK = re.compile(r"\b\d{1,2}:\d\d\b")
_UNIT = re.compile(
    r"(?<=\d )(?:mg|g|ml|mcg|micrograms?|kg|cm|mm|hours?|minutes?|days?|weeks?|months?|years?|"
    r"percent|pounds|dollars|meters|miles)\b"
)
_UNITS = (
    ("mg", "g", "ml", "mcg", "micrograms", "kg"),
    ("minutes", "hours", "days", "weeks", "months", "years"),
    ("minute", "hour", "day", "week", "month", "year"),
    ("cm", "mm", "meters", "miles"),
    ("percent", "pounds", "dollars"),
)
_MONTH = re.compile(
    r"\b(?:January|February|March|April|June|July|August|September|October|November|December)\b"
)
_MONTHS = """January February March April June July August September October November
    December""".split()
_VERB = re.compile(
    r"\b(is|are|was|were|can|may|will|should|must|has|have|had|does|do|did|could)\b(?! not|n't)"
)
_DENIED = re.compile(r"\b(is|are|was|were|can|may|will|should|must|has|have|had|does|do|did) not\b")
_SPLIT = re.compile(r" (?=(?:is|are|was|were|can|may|has|have|had|causes|includes|began|became) )")
_MODAL = re.compile(r"\b(?:may|might|could|can|sometimes|often|usually|some|about|approximately)\b")
_STRONG = {
    "may": "must", "might": "will", "could": "will", "can": "always", "sometimes": "always",
    "often": "never", "usually": "never", "some": "all", "about": "exactly",
    "approximately": "exactly",
}  # fmt: skip
_QUANTITY = re.compile(r"\b(?:most|many|some|several|few|half|one|two|three|four|five|ten)\b")
_QUANTITIES = "all no most few half two three four five six seven ten twelve".split()
_ROLES = re.compile(r"\b(?:by|for|to|from|in|with|than|of|and|or)\b")


@dataclass(frozen=True, slots=True)
class Edit:
    """The edited sentence. `wrong`: where it is not held; None if that cannot be said."""

    text: str
    truth: Truth
    wrong: tuple[Span, ...] | None


@dataclass(frozen=True, slots=True)
class Place:
    """What an edit may look at: the passage, names of the same document, other sentences."""

    passage: str
    names: Sequence[str]
    others: Sequence[str]


Maker = Callable[[str, Place, Lexicon, random.Random], Edit | None]


def _put(text: str, span: Span, new: str, truth: Truth) -> Edit:
    start, end = span
    edited = f"{text[:start]}{new}{text[end:]}"
    return Edit(capital(edited), truth, ((start, start + len(new)),))


def _match(pattern: re.Pattern[str], text: str, draw: random.Random) -> re.Match[str] | None:
    found = list(pattern.finditer(text))
    return draw.choice(found) if found else None


def number(text: str, place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Another number of about the same size, or one of the passage."""
    found = _match(NUMBER, text, draw)
    if found is None:
        return None
    others = [one for one in NUMBER.findall(place.passage) if one != found.group()]
    new = draw.choice(others) if others and draw.random() < 0.4 else _near(found.group(), draw)
    if new == found.group():
        return None
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def _near(written: str, draw: random.Random) -> str:
    bare = written.replace(",", "")
    if "." in bare:
        whole, part = bare.split(".", 1)
        return f"{max(0, int(whole) + draw.choice((-1, 1, 2, 3, 10)))}.{part}"
    value = int(bare)
    if 1000 < value < 2100 and "," not in written:
        return str(value + draw.choice((-30, -10, -3, -1, 1, 2, 5, 12)))
    new = max(1, round(value * draw.choice((0.1, 0.5, 0.8, 1.2, 1.5, 2, 3, 10))))
    new = new if new != value else value + draw.choice((1, 2, 5))
    return f"{new:,}" if "," in written else str(new)


def clock(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Another time of day."""
    found = _match(_CLOCK, text, draw)
    if found is None:
        return None
    hour = (int(found.group().split(":")[0]) + draw.randrange(1, 12)) % 24
    new = f"{hour:02}:{draw.choice(('00', '15', '30', '45'))}"
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def unit(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """The same number of another unit."""
    found = _match(_UNIT, text, draw)
    group = next((one for one in _UNITS if found and found.group() in one), None)
    if found is None or group is None:
        return None
    new = draw.choice([one for one in group if one != found.group()])
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def month(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Another month."""
    found = _match(_MONTH, text, draw)
    if found is None:
        return None
    new = draw.choice([one for one in _MONTHS if one != found.group()])
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def name(text: str, place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Another name, mostly one of the same document."""
    found = _match(NAME, text, draw)
    names = [one for one in place.names if found and one not in found.group() and one not in text]
    if found is None or not names:
        return None
    new = draw.choice(names)
    truth = Truth.CONTRADICTED if new in place.passage else Truth.UNSUPPORTED
    return _put(text, found.span(), new, truth)


def drug(text: str, _place: Place, words: Lexicon, draw: random.Random) -> Edit | None:
    """Another drug."""
    low = text.lower()
    there = [one for one in words.words["drug"] if re.search(rf"\b{one}\b", low)]
    if not there:
        return None
    old = draw.choice(there)
    new = draw.choice([one for one in words.words["drug"] if one not in low])
    return _put(text, (low.index(old), low.index(old) + len(old)), new, Truth.UNSUPPORTED)


def antonym(text: str, _place: Place, words: Lexicon, draw: random.Random) -> Edit | None:
    """A word for its opposite."""
    low = f" {text.lower()} "
    pairs = [(a, b) for a, b in words.pairs("antonym") if f" {a} " in low]
    if not pairs:
        return None
    old, new = draw.choice(pairs)
    start = low.index(f" {old} ")
    return _put(text, (start, start + len(old)), new, Truth.CONTRADICTED)


def deny(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """ "not" put in, or taken out."""
    if denied := _DENIED.search(text):
        return _put(text, denied.span(), denied.group(1), Truth.CONTRADICTED)
    found = _VERB.search(text)
    if found is None:
        return None
    word = found.group()
    new = draw.choice((f"{word} not", f"{word} not", f"{word} never", f"{word} no longer"))
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def modality(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """What may be, is."""
    found = _match(_MODAL, text, draw)
    if found is None:
        return None
    return _put(text, found.span(), _STRONG[found.group()], Truth.UNSUPPORTED)


def quantity(text: str, _place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Another quantifier or number word."""
    found = _match(_QUANTITY, text, draw)
    if found is None:
        return None
    new = draw.choice([one for one in _QUANTITIES if one != found.group()])
    return _put(text, found.span(), new, Truth.CONTRADICTED)


def roles(text: str, _place: Place, _words: Lexicon, _draw: random.Random) -> Edit | None:
    """Two names change places."""
    found = [match for match in NAME.finditer(text) if len(match.group()) > 2]
    if len(found) < 2 or found[0].group() == found[1].group():
        return None
    first, second = found[:2]
    between = text[first.end() : second.start()]
    if (not _ROLES.search(between) and len(between) < 4) or between.strip() in {"and", "or", ","}:
        return None
    start = f"{text[: first.start()]}{second.group()}{between}"
    edited = f"{start}{first.group()}{text[second.end() :]}"
    spans = ((first.start(), first.start() + len(second.group())),
             (len(start), len(start) + len(first.group())))  # fmt: skip
    return Edit(edited, Truth.UNSUPPORTED, spans)


def blend(text: str, place: Place, _words: Lexicon, draw: random.Random) -> Edit | None:
    """Its subject, with what another sentence says of something else."""
    subject = _subject(text)
    told = [rest for other in place.others if (rest := _predicate(other, text))]
    if subject is None or not told:
        return None
    rest = draw.choice(told)
    edited = f"{subject} {rest}"
    return Edit(edited, Truth.UNSUPPORTED, ((len(subject) + 1, len(edited)),))


def _subject(text: str) -> str | None:
    """What stands before the first verb, if it is short and no pronoun."""
    head = _SPLIT.split(text, maxsplit=1)[0]
    short = 0 < len(head.split()) <= 6 and head != text
    vague = head.split()[0].lower() in {"it", "this", "these", "they", "he", "she", "there", "that"}
    return head if short and not vague else None


def _predicate(other: str, text: str) -> str | None:
    """What another sentence says, if its subject is a different one."""
    head = _subject(other)
    if head is None or head.lower() in text.lower():
        return None
    rest = _SPLIT.split(other, maxsplit=1)[1]
    return rest if rest not in text and len(rest.split()) > 3 else None


def beyond(text: str, _place: Place, words: Lexicon, draw: random.Random) -> Edit | None:
    """More than the passage says."""
    body = text.rstrip(" .")
    more = words.value(draw.choice(("why", "tail")), draw)
    return Edit(f"{body} {more}.", Truth.NOT_FOUND, ((len(body) + 1, len(body) + 1 + len(more)),))


EDITS: Mapping[str, tuple[Maker, float]] = {
    "number": (number, 4),
    "clock": (clock, 4),
    "unit": (unit, 3),
    "month": (month, 2),
    "name": (name, 3),
    "drug": (drug, 3),
    "antonym": (antonym, 4),
    "deny": (deny, 2.5),
    "modality": (modality, 0.6),
    "quantity": (quantity, 1),
    "roles": (roles, 4),
    "blend": (blend, 5),
    "beyond": (beyond, 1),
}
"""Each edit by name, and how often it is tried first."""


def edited(text: str, place: Place, words: Lexicon, draw: random.Random) -> tuple[str, Edit] | None:
    """One edit of chance that applies: its name and result."""
    order = sorted(EDITS, key=lambda key: -(draw.random() ** (1 / EDITS[key][1])))
    for key in order[:6]:
        made = EDITS[key][0](text, place, words, draw)
        if made is not None and made.text.lower() != text.lower():
            return key, made
    return None
