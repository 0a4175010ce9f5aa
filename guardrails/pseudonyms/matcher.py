"""Finds surrogates in a text, in the forms that a model may give them, and says what they mean."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from skerry.guardrails.pseudonyms import dates
from skerry.guardrails.pseudonyms.casing import recased
from skerry.guardrails.pseudonyms.entries import Entry, Form
from skerry.guardrails.pseudonyms.shapes import compact

_ALONE = r"(?<![A-Za-z\d])", r"(?![A-Za-z\d])"
_WORD = r"(?<![A-Za-z])", r"(?![A-Za-z])"
_ENDING = r"[A-Za-z]{0,3}"
_NUMBER_GAP = r"[\s().\-/]{0,2}"
_SCHEME = re.compile(r"^[a-z]{3,5}://", re.IGNORECASE)
_LOOK_AHEAD = 8
LOOK_BACK = 8
"""Characters before a surrogate that its pattern may look at."""

DateKey = tuple[int | None, int, int]


class Matcher:
    """The entries of one mapping, ready to be found. Immutable."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._exact = {one.sent: one.value for one in self._entries}
        self._compact = _firsts((compact(one.sent), one) for one in self._entries)
        self._words: dict[str, list[Entry]] = defaultdict(list)
        self._days: dict[DateKey, dates.Written] = {}
        for one in self._entries:
            self._learn(one)
        self._pattern = self._compiled()
        lengths = (_longest(one) for one in self._entries)
        self.longest = max(lengths, default=0) + _LOOK_AHEAD
        self.starts = frozenset("".join(map(_starts, self._entries)))

    def __bool__(self) -> bool:
        return bool(self._entries)

    def matches(self, text: str, start: int = 0) -> Iterator[re.Match[str]]:
        """Where surrogates stand in `text`, from `start` on."""
        return self._pattern.finditer(text, start) if self._entries else iter(())

    def meaning(self, match: re.Match[str]) -> str:
        """What the surrogate that was found stands for, in the form that it has there."""
        found = match.group()
        if found in self._exact:
            return self._exact[found]
        form = Form(match.lastgroup or Form.EXACT)
        if form is Form.WORD:
            return self._word(found)
        if form is Form.DATE:
            return self._date(found)
        return self._other(found)

    def restored(self, text: str) -> str:
        """`text` with every surrogate put back."""
        return self._pattern.sub(self.meaning, text) if self._entries else text

    def label(self, match: re.Match[str]) -> str:
        """The class of what was found."""
        found, form = match.group(), match.lastgroup
        near = self._words[self._stem(found)] if form == Form.WORD else []
        known = [one for one in self._entries if one.sent == found or one.form == form]
        return (near or known)[0].label

    def _learn(self, one: Entry) -> None:
        if one.form is Form.WORD:
            self._words[one.sent.lower()].append(one)
        elif one.form is Form.DATE:
            for sent, value in zip(dates.read(one.sent), dates.read(one.value), strict=False):
                day = sent.day
                year = day.year if sent.has_year else None
                self._days.setdefault((year, day.month, day.day), value)
                self._days.setdefault((None, day.month, day.day), value)
                break

    def _word(self, found: str) -> str:
        stem = self._stem(found)
        entries = self._words[stem]
        seen, ending = found[: len(stem)], found[len(stem) :]
        if seen in self._exact:
            return self._exact[seen] + ending
        best = next((one for one in entries if not one.value.islower()), entries[0])
        return recased(best.value, seen) + ending

    def _stem(self, found: str) -> str:
        lowered = found.lower()
        ends = range(len(lowered), max(0, len(lowered) - 4), -1)
        return next(lowered[:end] for end in ends if lowered[:end] in self._words)

    def _date(self, found: str) -> str:
        for read in dates.read(found):
            day = read.day
            known = self._days.get((day.year if read.has_year else None, day.month, day.day))
            if known is not None:
                return read.write(known.day)
        return found

    def _other(self, found: str) -> str:
        known = self._compact.get(compact(found))
        if known is not None:
            return known.value
        return next(
            (_variant(one, found) for one in self._entries if _is_variant(one, found)), found
        )

    def _compiled(self) -> re.Pattern[str]:
        """Longer surrogates first, so that none hides another that it begins."""
        made: dict[Form, dict[str, None]] = defaultdict(dict)
        for one in sorted(self._entries, key=lambda one: -len(one.sent)):
            for pattern in _patterns(one):
                made[one.form][pattern] = None
        groups = (f"(?P<{form}>{_framed(form, made[form])})" for form in Form if made[form])
        return re.compile("|".join(groups) or r"(?!)", re.IGNORECASE)


def _framed(form: Form, patterns: Iterable[str]) -> str:
    joined = "|".join(patterns)
    if form is Form.WORD:
        return f"{_WORD[0]}(?:{joined}){_ENDING}{_WORD[1]}"
    if form in (Form.EXACT, Form.AGE):
        return joined
    return f"{_ALONE[0]}(?:{joined}){_ALONE[1]}"


def _patterns(one: Entry) -> Iterator[str]:
    """The forms in which a surrogate may come back."""
    if one.form is Form.DATE:
        for read in dates.read(one.sent)[:1]:
            yield dates.forms(read.day, has_year=read.has_year)
    elif one.form is Form.NUMBER:
        yield _number(one)
    elif one.form is Form.PHRASE:
        yield re.escape(one.sent).replace(r"\.", r"\.?").replace(r"\ ", r"\s{1,3}")
    elif one.form is Form.AGE:
        yield _age(one.sent)
    else:
        yield _exact(one.sent) if one.form is Form.EXACT else one.sent.lower()


def _age(number: str) -> str:
    """A number where it can only be an age: it may stand for something else elsewhere."""
    before = ("age ", "aged ", "age: ", "age of ", "age is ", "aged: ", "turned ", "turns ")
    after = "|".join(f"(?<={words})" for words in before)
    return rf"(?<![\w.,]){number}(?=[\s\-]{{0,2}}(?:year|yr|y/?o))|(?:{after}){number}(?!\w)"


def _exact(sent: str) -> str:
    if sent.startswith("<"):
        return re.escape(sent)
    scheme = _SCHEME.match(sent)
    bare = re.escape(sent[scheme.end() :] if scheme else sent)
    before = f"(?:{re.escape(scheme.group())})?" if scheme else ""
    return f"{_ALONE[0]}{before}{bare}{_ALONE[1]}"


def _number(one: Entry) -> str:
    """Its letters and digits in any punctuation, a telephone number with any prefix."""
    characters = compact(one.sent)
    if one.label != "phone":
        lead = one.sent[: next(at for at, each in enumerate(one.sent) if each.isalnum())]
        return f"(?:{re.escape(lead)})?{_gapped(characters)}"
    bare = characters.removeprefix("00")
    if bare.startswith("44") and len(bare) > 10:
        return rf"(?:(?:\+|00)?44[\s()\-]{{0,3}}0?|0)\)?{_NUMBER_GAP}" + _gapped(
            bare[2:].lstrip("0")
        )
    if bare.startswith("0") and len(bare) in (10, 11):
        return rf"(?:(?:\+|00)?44[\s()\-]{{0,3}}0?|\(?0){_NUMBER_GAP}" + _gapped(bare[1:])
    if len(bare) in (10, 11) and bare[-7:-2] == "55501":
        return rf"(?:\+?1{_NUMBER_GAP})?\(?" + _gapped(bare[-10:])
    return r"\+?\(?" + _gapped(characters)


def _gapped(characters: str) -> str:
    return _NUMBER_GAP.join(characters)


def _is_variant(one: Entry, found: str) -> bool:
    """Whether `found` is this telephone number with another prefix, or this link without one."""
    if one.form is Form.NUMBER and one.label == "phone":
        return compact(found)[-9:] == compact(one.sent)[-9:]
    return one.form is Form.EXACT and one.sent.lower().endswith(found.lower())


def _variant(one: Entry, found: str) -> str:
    if one.form is Form.EXACT:
        return _SCHEME.sub("", one.value) if not _SCHEME.match(found) else one.value
    return one.value


def _longest(one: Entry) -> int:
    """An upper bound of the characters that a match of this entry takes."""
    if one.form is Form.DATE:
        return 40
    if one.form is Form.NUMBER:
        return 3 * len(one.sent) + 12
    return 3 * len(one.sent) if one.form is Form.PHRASE else len(one.sent) + 4


def _starts(one: Entry) -> str:
    """The characters that a match may begin with, in lower case."""
    if one.form is Form.DATE:
        return "0123456789jfmasond"
    if one.form is Form.NUMBER:
        return "+(0123456789" + one.sent[:1].lower()
    bare = _SCHEME.sub("", one.sent)
    return one.sent[:1].lower() + bare[:1].lower()


def _firsts(pairs: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    made: dict[str, Entry] = {}
    for key, one in pairs:
        made.setdefault(key, one)
    return made
