"""A text as a reader sees it, for matching, with the way back to the text itself.

Characters that nobody sees are left out; those that look alike become one: every space, dash and
digit of any script its ASCII one, accented and fullwidth letters plain ones, Cyrillic and Greek
look-alikes Latin ones. A character reference of HTML is the character that it stands for. Only
matching uses it: what is found are spans of the original.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

_ODD = re.compile(r"[^\t\n\r\x20-\x7e]")
_ODD_OR_REFERENCE = re.compile(
    rf"{_ODD.pattern}|&(?:#\d{{1,7}}|#[xX][\da-fA-F]{{1,6}}|[a-zA-Z]{{2,31}}\d{{0,2}});|"
    r"&(?:nbsp|shy|#160|#173)(?![\w;])"
)
_RUN = re.compile(r"(?<=[ \t])[ \t]+|\r(?=\n)")
_RUNS = ("  ", "\t", "\r\n")
_LONGEST_LIGATURE = 3
_INVISIBLE_MARKS = frozenset({"Mn", "Me", "Cf", "Cc"})
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul fillers: letters that show nothing
_TAGS = range(0xE0020, 0xE007F)  # invisible copies of ASCII
_SELECTORS = range(0xE0110, 0xE016F)  # variation selectors, which can hide a byte each

_LOOK_ALIKES = (
    ("аαɑ", "a"), ("сϲ", "c"), ("еҽ", "e"), ("оοօ", "o"), ("рρ", "p"), ("хχ", "x"), ("уγ", "y"),
    ("іιıɩ", "i"), ("ѕ", "s"), ("ј", "j"), ("һ", "h"), ("ԛ", "q"), ("ԝ", "w"), ("кκ", "k"),
    ("ѵν", "v"), ("пη", "n"), ("υ", "u"), ("гᴦ", "r"), ("тτ", "t"), ("ԁ", "d"), ("ɡ", "g"),
    ("ӏ", "l"), ("мϻ", "m"), ("ƒ", "f"), ("АΑ", "A"), ("ВΒ", "B"), ("С", "C"), ("ЕΕ", "E"),
    ("НΗ", "H"), ("ІΙӀ", "I"), ("Ј", "J"), ("КΚ", "K"), ("МΜ", "M"), ("Ν", "N"), ("ОΟ", "O"),
    ("РΡ", "P"), ("Ѕ", "S"), ("ТΤ", "T"), ("ХΧ", "X"), ("УΥ", "Y"), ("Ζ", "Z"),
    ("ᴀ", "a"), ("ʙ", "b"), ("ᴄ", "c"), ("ᴅ", "d"), ("ᴇ", "e"), ("ꜰ", "f"), ("ɢ", "g"),
    ("ʜ", "h"), ("ɪ", "i"), ("ᴊ", "j"), ("ᴋ", "k"), ("ʟ", "l"), ("ᴍ", "m"), ("ɴ", "n"),
    ("ᴏ", "o"), ("ᴘ", "p"), ("ʀ", "r"), ("ꜱ", "s"), ("ᴛ", "t"), ("ᴜ", "u"), ("ᴠ", "v"),
    ("ᴡ", "w"), ("ʏ", "y"), ("ᴢ", "z"),
    ("\u2028\u2029\u0085", "\n"), ("\u2800", " "), ("−⁃➖", "-"), ("∕⁄⧸", "/"), ("。｡", "."),
)  # fmt: skip
_LOOKS_LIKE = {odd: plain for group, plain in _LOOK_ALIKES for odd in group}


@dataclass(frozen=True, slots=True)
class Normal:
    """`text` is what to match on; `offsets[i]` is where its character i stood (None: at i).

    `ends` has where the original of a character ends, by where it begins, if it is a longer one.
    """

    text: str
    offsets: Sequence[int] | None = None
    ends: Mapping[int, int] = field(default_factory=dict)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that `text[start:end]` (not empty) was made of."""
        if self.offsets is None:
            return start, end
        last = self.offsets[end - 1]
        return self.offsets[start], self.ends.get(last, last + 1)


def normalise(text: str) -> Normal:
    """The plain copy of `text`, in time linear in its length; one space for a run of them."""
    return _without_runs(_plain_copy(text))


def _plain_copy(text: str) -> Normal:
    odd = _ODD_OR_REFERENCE if "&" in text else _ODD
    shown = {one: _shown(one) for one in set(odd.findall(text))}
    same = {ord(one): seen for one, seen in shown.items() if len(one) == len(seen) == 1}
    other = {one: seen for one, seen in shown.items() if ord(one[0]) not in same and seen != one}
    text = text.translate(same) if same else text
    return _with_offsets(text, odd, other) if other else Normal(text)


def _shown(odd: str) -> str:
    """What a character, or a reference to one, looks like; itself where it is no reference."""
    if len(odd) == 1:
        return plain(odd)
    from html import unescape

    meant = unescape(odd)
    if meant == odd:
        return odd
    return "".join(plain(one) if _ODD.match(one) else one for one in meant)


def _with_offsets(text: str, odd: re.Pattern[str], shown: Mapping[str, str]) -> Normal:
    """The copy in which `shown` stands for what is not as long as one character."""
    parts: list[str] = []
    offsets: list[int] = []
    ends: dict[int, int] = {}
    cursor = 0
    for match in odd.finditer(text):
        instead = shown.get(match.group())
        if instead is None:
            continue
        at, end = match.span()
        parts += (text[cursor:at], instead)
        offsets.extend(range(cursor, at))
        offsets.extend([at] * len(instead))
        if end > at + 1:
            ends[at] = end
        cursor = end
    parts.append(text[cursor:])
    offsets.extend(range(cursor, len(text)))
    return Normal("".join(parts), offsets, ends)


def _without_runs(normal: Normal) -> Normal:
    """Leaves out all but the first of spaces and tabs in a row, and what a line end repeats."""
    if not any(pair in normal.text for pair in _RUNS) or not _RUN.search(normal.text):
        return normal
    parts: list[str] = []
    offsets: list[int] = []
    before: Sequence[int] = range(len(normal.text)) if normal.offsets is None else normal.offsets
    cursor = 0
    for match in _RUN.finditer(normal.text):
        parts.append(normal.text[cursor : match.start()])
        offsets.extend(before[cursor : match.start()])
        cursor = match.end()
    parts.append(normal.text[cursor:])
    offsets.extend(before[cursor:])
    return Normal("".join(parts), offsets, normal.ends)


@lru_cache(maxsize=8192)
def plain(character: str) -> str:
    """What one character looks like in ASCII, if it does; empty if it shows nothing.

    Decompositions are those of Unicode (UAX 15, NFKD, without its marks).
    """
    if character in _LOOKS_LIKE:
        return _LOOKS_LIKE[character]
    if ord(character) in _TAGS:
        return chr(ord(character) - _TAGS.start + 0x20)
    if ord(character) in _SELECTORS:
        return chr(ord(character) - _SELECTORS.start + 0x20)
    return _by_category(character, unicodedata.category(character))


def _by_category(character: str, category: str) -> str:
    if character.isspace():
        return " "
    if category in _INVISIBLE_MARKS or character in _BLANKS:
        return ""
    if category == "Cs":  # half of a surrogate pair, which no encoding has
        return "\ufffd"
    if category in {"Pd", "Pc"}:
        return "-" if category == "Pd" else "_"
    digit = unicodedata.digit(character, None)
    return _letters(character) if digit is None else str(digit)


def _letters(character: str) -> str:
    parts = unicodedata.normalize("NFKD", character)
    seen = [part for part in parts if unicodedata.category(part) not in _INVISIBLE_MARKS]
    if len(seen) == 1:
        return _LOOKS_LIKE.get(seen[0], seen[0])
    ligature = len(seen) <= _LONGEST_LIGATURE and all(part.isalpha() for part in seen)
    return "".join(seen) if ligature and "".join(seen).isascii() else character
