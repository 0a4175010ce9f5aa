"""Who does it to whom, and what comes before what: the same words the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails.grounding.exact.clauses import spoken_of, whole_clauses
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems

_WORD = re.compile(r"[^\W\d_]+")
_BE = frozenset("is are was were be been being gets get".split())
_AFTER_VERB = frozenset(
    """the a an his her its their our your my this that these those each every all any him them me
    us you it to for by""".split()
)
_MODALS = frozenset("may must can will should".split())
_TAKE = frozenset("receive take get give need use have avoid replace require cause".split())
_PARTICLES = frozenset("off out up down back away over through".split())
_LINK = re.compile(r"\s(?:of|in|at|on|with|for|from|to|when|if|before|after|during|until|since)\s")
_MUTUAL = content_stems(
    """meet marry compare share combine mix link connect associate join equal resemble match differ
    talk discuss agree"""
)
_IRREGULAR = {
    "given": "give", "gave": "give", "taken": "take", "took": "take", "written": "write",
    "chosen": "choose", "known": "know", "shown": "show", "seen": "see", "sent": "send",
    "told": "tell", "paid": "pay", "held": "hold", "kept": "keep", "brought": "bring",
    "taught": "teach", "bought": "buy", "sold": "sell", "led": "lead", "met": "meet",
    "drawn": "draw", "driven": "drive", "spoken": "speak", "done": "do", "made": "make",
    "built": "build", "found": "find", "lent": "lend", "rung": "ring", "fed": "feed",
    "left": "leave", "hidden": "hide", "beaten": "beat", "won": "win", "heard": "hear",
}  # fmt: skip
_STANDS_FOR = frozenset({"one", "ones"})
_NO_SIDE = content_stems("instead rather also therefore then")
_ORDER = re.compile(r"\b(?P<word>before|after|than)\b", re.IGNORECASE)
_COMPARED = re.compile(r"\b(?:more|less|fewer|better|worse|[a-z]{3,}er)\b", re.IGNORECASE)
_NEAR = 0.7
"""The share of the claim's content words that a sentence has with which it is compared."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A verb or word of order, with the words of its two sides."""

    word: str
    one: frozenset[str]
    other: frozenset[str]


def exchanged_roles(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The claim as a whole, where it has the two sides of a deed of the passage exchanged."""
    said = spoken_of(claim)
    near = [part for part in parts if len(said & part.own) >= _NEAR * max(len(said), 1)]
    if not near or any(not _exchanged(claim, part.text) for part in near):
        return
    yield ExactKind.ROLE, 0, len(claim), True


def _exchanged(claim: str, told: str) -> bool:
    if _in_order(claim, told):
        return False
    mine, theirs = _deeds(claim), _deeds(told)
    return any(
        _turned(
            [one for one in mine if one.word == word], [one for one in theirs if one.word == word]
        )
        for word in {one.word for one in mine}
    )


def _in_order(claim: str, told: str) -> bool:
    """Whether all words of the claim stand in the same order in what is told: nothing is turned."""
    rest = iter(told.lower().split())
    return all(word in rest for word in claim.lower().rstrip(".").split())


def _turned(mine: Sequence[Deed], theirs: Sequence[Deed]) -> bool:
    """Whether no pair of the deeds has the same two sides, and one has them exchanged."""
    pairs = [(one, other) for one in mine for other in theirs]
    return not any(_alike(*pair) for pair in pairs) and any(_crossed(*pair) for pair in pairs)


def _alike(mine: Deed, theirs: Deed) -> bool:
    both = mine.one & mine.other
    return bool((mine.one & theirs.one) - both and (mine.other & theirs.other) - both)


def _crossed(mine: Deed, theirs: Deed) -> bool:
    """Whether something of each side stands on the other one."""
    first = (mine.one & theirs.other) - theirs.one - mine.other
    second = (mine.other & theirs.one) - theirs.other - mine.one
    return bool(first and second)


@lru_cache(maxsize=1_024)
def _deeds(text: str) -> tuple[Deed, ...]:
    found = [deed for clause in whole_clauses(text) for deed in _done(clause.text)]
    return (*found, *_ordered(text))


def _done(text: str) -> Iterator[Deed]:
    """The verbs of a clause, with who does it and to whom; "is called by" has them turned."""
    words = [(one.group(), *one.span()) for one in _WORD.finditer(text)]
    for i, (word, start, end) in enumerate(words[1:-1], 1):
        before, after = words[i - 1][0].lower(), words[i + 1][0]
        stem = _stem(word)
        acts = after.lower() in _AFTER_VERB or after[0].isupper() or word.lower().endswith("s")
        acts = acts or word.lower() in _TAKE or before in _MODALS
        passive = before in _BE
        if not stem or stem in _MUTUAL or word.lower() in _PARTICLES or not (acts or passive):
            continue
        ahead, behind = spoken_of(text[:start]) - _NO_SIDE, text[end:]
        if not passive:
            yield Deed(stem, ahead, spoken_of(behind) - _NO_SIDE)
            continue
        to, by, doer = behind.partition(" by ")
        if by:
            who, *rest = _LINK.split(doer, maxsplit=1)
            yield Deed(stem, spoken_of(who), ahead | spoken_of(f"{to} {' '.join(rest)}"))


def _stem(word: str) -> str:
    return next(iter(content_stems(_IRREGULAR.get(word.lower(), word))), "")


def _ordered(text: str) -> Iterator[Deed]:
    """What comes before what, and what is more than what."""
    for match in _ORDER.finditer(text):
        word = match["word"].lower()
        ahead, behind = text[: match.start()], text[match.end() :]
        if not spoken_of(ahead):
            behind, _, ahead = behind.partition(",")
        first, second = spoken_of(ahead) - _STANDS_FOR, spoken_of(behind) - _STANDS_FOR
        if word == "than":
            compared = _COMPARED.findall(ahead)
            if compared:
                yield Deed(f"{compared[-1].lower()} than", first, second)
        elif word == "before":
            yield Deed("before", first, second)
        else:
            yield Deed("before", second, first)
