"""Where a claim is a near copy of a sentence, and one thing in it is another.

The two are laid beside each other word by word. What stands in the place of something else of its
kind (a number, a name, an opposite, another subject), between the same words, is not what the
sentence says, even if the passage has it elsewhere. In quite other words nothing is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from skerry.guardrails.grounding.exact.clauses import Clause, clauses, is_gapped, spoken_of
from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.names import drugs_in, names_in
from skerry.guardrails.grounding.exact.opposites import differ_in_extent, opposites
from skerry.guardrails.grounding.exact.quantities import Quantity, quantities
from skerry.guardrails.grounding.exact.times import times
from skerry.guardrails.words import content_stems

Span = tuple[int, int]

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*(?![^\W\d_])|[^\W_]+")
_LIST = re.compile(r"(?:[\s,;/&]|\b(?:and|or)\b|\b[^\W_]+\b(?=\s*(?:[,;/&]|(?:and|or)\b)))*")
_MOST_TOKENS = 120  # of a claim or a sentence
_MOST_SENTENCES = 30  # a window has few; this bounds the time
_NEAR = 0.6  # share of the claim's words that stand in the sentence in the same order
_SHORT = 4  # words that are another, at most
_FRAME = 2  # words before and after them that are the same, at least
_SUBJECT = 8  # words of a subject, at most
_SUBJECT_FRAME = 4  # words after an exchanged subject that are the same
VAGUE = frozenset(
    """it its they them their he his she her this that these those there such both each some many
    most all one who which what another other others""".split()
)
"""Words that a subject may begin with that stands for something named before."""
_OPENINGS = frozenset({(), ("the",), ("a",), ("an",)})


@dataclass(frozen=True)
class Text:
    """A claim or a sentence; what is needed to compare it is found when it is first asked for."""

    text: str
    tokens: tuple[str, ...]
    spans: tuple[Span, ...]

    @classmethod
    @lru_cache(maxsize=512)
    def of(cls, text: str) -> Text:
        found = list(_TOKEN.finditer(text))[:_MOST_TOKENS]
        words = tuple(match.group().lower() for match in found)
        return cls(text, words, tuple(match.span() for match in found))

    @cached_property
    def amounts(self) -> list[Quantity]:
        clock = {at for one in times(self.text) for at in range(one.start, one.end)}
        return [one for one in quantities(self.text) if one.start not in clock]

    @cached_property
    def names(self) -> frozenset[int]:
        """The tokens that are names."""
        return _inside(self.spans, [(start, end) for _, start, end in names_in(self.text)])

    @cached_property
    def drugs(self) -> frozenset[int]:
        """The tokens that are drugs."""
        return _inside(self.spans, [(start, end) for _, start, end in drugs_in(self.text)])


def _inside(spans: Sequence[Span], wider: Sequence[Span]) -> frozenset[int]:
    starts = {at for start, end in wider for at in range(start, end)}
    return frozenset(i for i, (start, _) in enumerate(spans) if start in starts)


@dataclass(frozen=True, slots=True)
class Side:
    """The tokens `first` to `last` (left out) of a text, which another one has otherwise."""

    of: Text
    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first

    @property
    def words(self) -> tuple[str, ...]:
        return self.of.tokens[self.first : self.last]

    @property
    def span(self) -> Span:
        return self.of.spans[self.first][0], self.of.spans[self.last - 1][1]

    @property
    def amounts(self) -> list[Quantity]:
        start, end = self.span
        return [one for one in self.of.amounts if one.start < end and start < one.end]

    def all_in(self, tokens: frozenset[int]) -> bool:
        return all(at in tokens for at in range(self.first, self.last))


@dataclass(frozen=True, slots=True)
class Change:
    """`claimed` stands where the sentence has `told`. `before` and `after` say how many words on
    either side are the same."""

    claimed: Side
    told: Side
    before: int
    after: int


def copied(claim: str, sentences: Sequence[str]) -> Iterator[Found]:
    """What is another in the claim than in the sentence that it is a near copy of.

    Nothing where another sentence has what is claimed, and is about the same.
    """
    mine = Text.of(claim)
    if len(mine.tokens) < _FRAME + 1:
        return
    said = content_stems(claim)
    sentences = sentences[:_MOST_SENTENCES]
    like = [one for one in sentences if 2 * len(said & content_stems(one)) >= len(said)]
    beside = [laid(mine, Text.of(one)) for one in like]
    best = max((same for same, _ in beside), default=0)
    if best >= _NEAR * len(mine.tokens):
        found = [list(_found(changes, sentences)) for same, changes in beside if same >= best - 1]
        yield from min(found, key=len)


def _told_elsewhere(one: Change, sentences: Sequence[str]) -> bool:
    """Whether another sentence has what is claimed, and either two thirds as many of the claim's
    words as this one, or some that this one lacks."""
    here = content_stems(one.told.of.text)
    words = set(one.claimed.words)
    said = content_stems(one.claimed.of.text) - content_stems(" ".join(words))
    others = [content_stems(text) for text in sentences if words <= set(_words(text))]
    return any(
        there != here and (said & there - here or 3 * len(said & there) >= 2 * len(said & here))
        for there in others
    )


def laid(mine: Text, told: Text) -> tuple[int, list[Change]]:
    """How many words are the same in the same order, and what is exchanged between them."""
    steps = SequenceMatcher(None, mine.tokens, told.tokens, autojunk=False).get_opcodes()
    same = [i2 - i1 if tag == "equal" else 0 for tag, i1, i2, _, _ in steps]
    around = [0, *same, 0]
    changes = [
        Change(Side(mine, i1, i2), Side(told, j1, j2), around[at], around[at + 2])
        for at, (tag, i1, i2, j1, j2) in enumerate(steps)
        if tag == "replace"
    ]
    return sum(same), changes


def _found(changes: Sequence[Change], sentences: Sequence[str]) -> Iterator[Found]:
    for one in changes:
        if _told_elsewhere(one, sentences):
            continue
        size = max(one.claimed.size, one.told.size)
        framed = one.before + one.after >= _FRAME and size <= _SHORT
        kind = _kind(one, sentences) if framed else None
        if kind is None and size <= _SUBJECT and _another_subject(one, sentences):
            kind = ExactKind.NAME
        if kind:
            yield kind, *one.claimed.span, True


def _kind(one: Change, sentences: Sequence[str]) -> ExactKind | None:
    claimed, told = one.claimed, one.told
    if amount := _another_amount(one):
        return amount
    if opposites(claimed.words, told.words):
        return ExactKind.NEGATION
    if differ_in_extent(claimed.words, told.words, bool(claimed.amounts), bool(told.amounts)):
        return ExactKind.NUMBER
    if _same_list(one) or _is_gapped(one):
        return None
    if claimed.all_in(claimed.of.drugs) and told.all_in(told.of.drugs):
        return ExactKind.DRUG
    named = claimed.all_in(claimed.of.names) and told.all_in(told.of.names)
    return ExactKind.NAME if named and not _alias(one, sentences) else None


def _is_gapped(one: Change) -> bool:
    claim = one.claimed.of.text
    name = content_stems(" ".join(one.claimed.words))
    at = one.told.span[0]
    others = [each for each in clauses(one.told.of.text) if not each.start <= at < each.end]
    return is_gapped(Clause(claim, 0, spoken_of(claim)), name, others)


def _another_amount(one: Change) -> ExactKind | None:
    mine, theirs = one.claimed.amounts, one.told.amounts
    if not mine or len(mine) != len(theirs) or _same_list(one):
        return None
    for a, b in zip(mine, theirs, strict=True):
        if not a.equals(b):
            return ExactKind.UNIT if a.differs_in_unit(b) else ExactKind.NUMBER
    return None


def _same_list(one: Change) -> bool:
    """Whether the sentence has what is claimed in the same list: "b, a and c" for "a, b and c"."""
    words, told = one.claimed.words, one.told.of
    if _count(words, one.claimed.of.tokens) > _count(words, told.tokens):
        return False
    for at in range(len(told.tokens) - len(words) + 1):
        if told.tokens[at : at + len(words)] == words:
            first, last = sorted((at, one.told.first))
            between = told.text[told.spans[first][1] : told.spans[last][0]]
            if _LIST.fullmatch(between):
                return True
    return False


def _count(words: Sequence[str], tokens: Sequence[str]) -> int:
    size = len(words)
    return sum(tuple(tokens[at : at + size]) == tuple(words) for at in range(len(tokens)))


def _alias(one: Change, sentences: Sequence[str]) -> bool:
    """Whether both are names of one: they stand side by side, or one is the other's initials."""
    mine, theirs = one.claimed.words, one.told.words
    joined = {" ".join((*mine, *theirs)), " ".join((*theirs, *mine))}
    bare = " ".join(token for text in sentences for token in _words(text))
    initials = {"".join(word[0] for word in words) for words in (mine, theirs)}
    near = any(f" {text} " in f" {bare} " for text in joined)
    return near or bool(initials & {*mine, *theirs})


def _words(text: str) -> list[str]:
    return [match.group().lower() for match in _TOKEN.finditer(text)]


def _another_subject(one: Change, sentences: Sequence[str]) -> bool:
    """Whether the claim begins with what only other sentences speak of, and goes on as this one.

    Not where this one's subject may stand for the other: a pronoun, or a word of the other's own
    sentence ("Insulin is a hormone. The hormone is ...").
    """
    claimed, told = one.claimed, one.told
    opens = claimed.first == told.first and claimed.of.tokens[: claimed.first] in _OPENINGS
    if not opens or one.after < _SUBJECT_FRAME or told.words[0] in VAGUE:
        return False
    mine, theirs = (content_stems(" ".join(side.words)) for side in (claimed, told))
    here = content_stems(told.of.text)
    others = [stems for text in sentences if (stems := content_stems(text)) != here]
    named = [stems for stems in others if mine <= stems]
    return bool(mine - here and theirs and named) and not any(theirs & stems for stems in named)
