"""Words that are nearly another: ileum and ilium, Hansen and Hanson, HR-12 and HR-21."""

from __future__ import annotations

import re
from functools import lru_cache

from skerry.guardrails.words import content_stems

_SPELLINGS = (("ae", "e"), ("oe", "e"), ("our", "or"), ("is", "iz"), ("ys", "yz"), ("ll", "l"),
              ("mme", "m"), ("tre", "ter"), ("ence", "ense"), ("ph", "f"))  # fmt: skip
_ENDING = re.compile(
    r"(?:s|es|ed|d|n|en|ne|ing|ling|ly|y|ies|er|ers|or|ors|al|ally|ic|ical|ion|ions|ation|tion|able|"
    r"ible|ance|ant|ent|ment|ness|ive|ful|less|ist|ism|ity|ial|age|st|t|ght|e|a|th)?"
)
_SHORTEST = 5  # letters; shorter words have many neighbours
_LONG = 7  # letters from which two may differ


@lru_cache(maxsize=4_096)
def look_alike(one: str, other: str) -> bool:
    """Whether two words in lower case differ by a letter or two, as no two forms of one word do."""
    if any(character.isdigit() for character in one + other):
        return one != other and any(map(str.isalpha, one)) and _same_digits(one, other)
    short, long = sorted((one, other), key=len)
    if len(short) < _SHORTEST or _same_word(one, other):
        return False
    if one[0] != other[0]:
        return _begun_otherwise(short, long)
    most = 2 if len(short) >= _LONG else 1
    return _distance(one, other, most) <= most


def _same_word(one: str, other: str) -> bool:
    """Whether they are one word, in another form or spelling."""
    if one == other or content_stems(one) == content_stems(other) or _plain(one) == _plain(other):
        return True
    return one[0] == other[0] and _inflected(one, other)


def _begun_otherwise(short: str, long: str) -> bool:
    """Whether the longer word has a letter or two more before it: ethylene and methylene."""
    return len(short) >= _LONG and long.endswith(short) and len(long) - len(short) <= 2


def _same_digits(one: str, other: str) -> bool:
    """Codes of the same letters: a digit is another one, or two have changed places."""
    return re.sub(r"\d", "0", one) == re.sub(r"\d", "0", other)


def _plain(word: str) -> str:
    for british, american in _SPELLINGS:
        word = word.replace(british, american)
    return word


def _inflected(one: str, other: str) -> bool:
    """Whether they are two forms of one word: alike but for endings that words take."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    long_enough = same >= max(3, min(len(one), len(other)) - 3)
    return long_enough and all(_ENDING.fullmatch(word[same:]) for word in (one, other))


def _distance(one: str, other: str, most: int) -> int:
    """Levenshtein's, or more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
