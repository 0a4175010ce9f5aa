"""Words that belong to a name for where they stand: "am" in "Neusiedl am See", initials before a
surname, what a hyphen joins to it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.guardrails.names.classifier import Word
from skerry.guardrails.names.encoding import LABELS

_INSIDE = frozenset(
    "de la le les van der den von di da do dos das del della y e af og el al bin ibn ap am im an "
    "in bei ob zu zum zur sur sous sob près lès upon by on the of und ter ten op te die du des "
    "lo".split()
)
"""Small words between two parts of a name, and in front of a surname after a title."""
_FEWEST_LETTERS = 2
_HYPHENS = "-\u2010\u2011"
_SURE = 0.5
_LEAST = 0.02
_LIST = 3
"""Words back from "and" to the first partner of a firm."""
_FIRM = LABELS.index("organisation")


def joined(words: Sequence[Word], counted: Sequence[bool], text: str) -> list[bool]:
    """`counted`, which says what words are part of a name, with those that join them."""
    made = list(counted)
    for at in range(len(words)):
        if not made[at] and any(rule(words, made, at, text) for rule in _RULES):
            made[at] = True
    for at in _initials(words, made, text):
        made[at] = True
    return made


def _is_inside(words: Sequence[Word], counted: Sequence[bool], at: int, text: str) -> bool:
    """A small word, or two, between parts of a name: "Frankfurt an der Oder"."""
    if not at or not counted[at - 1] or not _is_small(words[at], text):
        return False
    following = at + 1
    if following < len(words) and _is_small(words[following], text):
        following += 1
    if following >= len(words) or not counted[following]:
        return False
    between = text[words[at - 1].end : words[following].start]
    alike = _class(words[at - 1]) == _class(words[following])
    return alike and between.replace(text[words[at].start : words[at].end], "", 1).strip(
        " " + text[words[following - 1].start : words[following - 1].end]
    ) == ""  # fmt: skip


def _is_partner(words: Sequence[Word], counted: Sequence[bool], at: int, text: str) -> bool:
    """The "&" and what follows it, or the "and" of a firm: "Steiner & Partner", "Reed and Sons"."""
    written = text[words[at].start : words[at].end]
    if not at or not counted[at - 1]:
        return False
    if written == "&":
        return text[words[at].start - 1 : words[at].end + 1] == " & "
    if written.lower() == "and":
        return _follow_a_list(words, counted, at, text)
    link = text[words[at - 1].start : words[at - 1].end].lower()
    return link == "&" and at > 1 and counted[at - 2] and text[words[at].start].isupper()


def _follow_a_list(words: Sequence[Word], counted: Sequence[bool], at: int, text: str) -> bool:
    """Whether a firm's partners stand around "and": "Klein, Dony and Colson"."""
    if at < _LIST or at + 1 >= len(words) or not (counted[at + 1] and counted[at - _LIST]):
        return False
    three = (words[at - _LIST], words[at - 1], words[at + 1])
    comma = text[words[at - 2].start : words[at - 2].end] == ","
    return comma and any(_class(one) == _FIRM and one.chance > _SURE for one in three)


def _is_small(word: Word, text: str) -> bool:
    return word.chance >= _LEAST and text[word.start : word.end].lower() in _INSIDE


def _is_hyphened(words: Sequence[Word], counted: Sequence[bool], at: int, text: str) -> bool:
    """A word, or the hyphen itself, that is joined to a part of a name without a space."""
    word = words[at]
    before = at and words[at - 1].end == word.start and counted[at - 1]
    if text[word.start : word.end] in _HYPHENS:
        following = at + 1 < len(words) and words[at + 1].start == word.end
        return bool(before and following and text[words[at + 1].start].isalpha())
    behind = at and words[at - 1].end == word.start and text[words[at - 1].start] in _HYPHENS
    return bool(behind and counted[at - 1] and text[word.start].isalpha())


_RULES = (_is_inside, _is_hyphened, _is_partner)


def _initials(words: Sequence[Word], counted: Sequence[bool], text: str) -> Iterator[int]:
    """Single capitals right before a surname: "S Arngeirsdottir", "A. I. Keplinger"."""
    for at in range(len(words) - 1, -1, -1):
        if not counted[at] or words[at].chances[0] < _SURE or not text[words[at].start].isupper():
            continue
        if words[at].end - words[at].start < _FEWEST_LETTERS:
            continue
        before = at - 1
        while before >= 0 and not counted[before] and _is_initial(words, before, text):
            yield before
            before -= 1


def _is_initial(words: Sequence[Word], at: int, text: str) -> bool:
    """A capital alone, or its stop; not the "I" and the "A" of a sentence without a stop."""
    written = text[words[at].start : words[at].end]
    if written == ".":
        return at > 0 and _is_letter(words[at - 1], text)
    if not _is_letter(words[at], text) or words[at].chance < _LEAST:
        return False
    return written not in "AI" or words[at].chance >= 2 * _LEAST


def _is_letter(word: Word, text: str) -> bool:
    written = text[word.start : word.end]
    return len(written) == 1 and written.isalpha() and written.isupper()


def _class(word: Word) -> int:
    return max(range(len(word.chances)), key=lambda at: word.chances[at])
