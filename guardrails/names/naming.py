"""From words that count to names: where one ends and another begins, and what each names.

What the classifier says of the words of a name is weighed by what stands before and after it:
"Company:", "flight to", "Nurse". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from skerry.guardrails.names import labels
from skerry.guardrails.names.classifier import Word
from skerry.guardrails.names.encoding import LABELS
from skerry.guardrails.names.parting import parted

_CODE = re.compile(
    r"\d{4,6}(?:-\d{4})?|\d\d-\d{3}|\d{3} \d\d|\d{4} ?[a-z]{2}|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|"
    r"[a-z]\d[a-z] ?\d[a-z]\d|[a-z]\d\d ?[a-z\d]{4}",
    re.IGNORECASE,
)
"""A postcode of some country, where a place was expected."""
_PERSON, _PLACE, _ORGANISATION = range(len(LABELS))
_STRONG, _WEAK = 1.0, 0.4
"""What words around add to the mean chance of a class: enough by itself, or enough in doubt."""
_STARTS = r"(?:^|[\n|;,/\t*\"]|\. )\s?"
"""Where a field of a form may begin."""
_BEFORE: tuple[tuple[re.Pattern[str], int, float], ...] = tuple(
    (re.compile(rf"(?:{words})\Z", re.IGNORECASE), label, weight)
    for words, label, weight in (
        (
            r"\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|nurse|matron|sgt|sergeant|pc|capt|captain|"
            r"cllr|councillor|judge|rabbi|imam|grandad|granddad|grandpa|grandma|granny|nana|"
            r"auntie|aunty)\b[.]?\s|"
            rf"{_STARTS}(?:{labels.PERSON}){labels.ENDS}",
            _PERSON,
            _STRONG,
        ),
        (
            r"\b(?:doctor|sister|sir|lady|aunt|uncle|dear|hi|hello|neighbou?r|landlord|landlady|"
            r"called|"
            r"named|wife|husband|son|daughter|mum|mother|father|dad|brother|colleague|late|"
            r"since)\b,?\s|"
            r"\b(?:regards|wishes|sincerely|faithfully|thanks),?\s{1,3}|\b(?:from|to|cc):\s",
            _PERSON,
            _WEAK,
        ),
        (
            r"\b(?:born in|live[sd]? in|living in|flights? (?:to|from)|bus(?:es)? (?:to|from)|"
            r"trains? (?:to|"
            r"from)|dr(?:ove|ive|iving) (?:to|from)|travel(?:s|led|ling)? (?:to|from)|far is|"
            r"based in)\s|"
            rf"{_STARTS}(?:{labels.PLACE}){labels.ENDS}",
            _PLACE,
            _STRONG,
        ),
        (r"\b(?:in|near|towards|moved to|move to)\s", _PLACE, _WEAK),
        (
            rf"{_STARTS}(?:{labels.ORGANISATION}){labels.ENDS}",
            _ORGANISATION,
            _STRONG,
        ),
        (
            r"\b(?:work(?:s|ed|ing)? (?:for|at)|employed (?:by|at)|who at|merger of|client of|"
            r"contract with|"
            r"join(?:s|ed|ing)?|fined|sued|supplier|at)\s",
            _ORGANISATION,
            _WEAK,
        ),
    )
)
_AFTER: tuple[tuple[re.Pattern[str], int, float], ...] = tuple(
    (re.compile(words, re.IGNORECASE), label, weight)
    for words, label, weight in (
        (r"\s(?:laid off|is open|signs off)\b", _ORGANISATION, _WEAK),
        (r"\s?\((?:19|20)\d\d[a-z]?\)|,?\set al\b", _PERSON, _STRONG),
        (
            r"['’]s\s(?:mum|mother|wife|husband|son|daughter|dose|blood|results|birthday)\b|"
            r"\s(?:said|says|rang|wrote|told|asked|refuses|thinks|wants|swears|feels|denies|takes|"
            r"lives|died|reports|phoned|texted|emailed|replied|hates|loves|and (?:his|her))\b|"
            r",?\s(?:who|whose)\b|,?\s\(?aged?\s\d|\s\((?:he|she|they)/",
            _PERSON,
            _WEAK,
        ),
    )
)
_SMALL = frozenset(
    "de la le les van der den von di da do dos das del della y e af og und et and of for the upon "
    "on by nad pod sur sous bin ibn al el ap ab zu zum zur am im aux du des d l s".split()
)
"""Words that stand inside names in small letters."""
_CHARACTERS = 24
_SURE_OF_ANOTHER, _VERY_SURE_OF_ANOTHER = 1.75, 1.95
_SURE_OF_SMALL = 0.9
_OF_THE_WHOLE = 0.45
_LINKS = frozenset("and or v vs of at in to from with is for by on und et".split())
_TITLE = re.compile(
    r"(?:(?:matron|nurse|sister|doctor|professor|prof|dr|mrs|mr|ms|miss|sir|lady|rev|father|aunt|"
    r"uncle|auntie|aunty|grandad|granddad|grandpa|grandma|granny|nana|sgt|pc|capt|captain|cllr|"
    r"judge)"
    r"\.?\s)(?=[^\W\d_]{2})",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"(?:,?\s(?:limited|ltd|inc|incorporated|llc|llp|plc|gmbh|corp|corporation|holdings)\b\.?)",
    re.IGNORECASE,
)
_FIRMS_END = re.compile(
    r"(?:\b(?:limited|ltd|inc|incorporated|llc|llp|plc|gmbh|corp|corporation|holdings|eirl|hospital|"
    r"infirmary|clinic|surgery|hospice|school|college|university|academy|pharmacy|"
    r"(?:health|medical|care) cent(?:re|er)|(?:care|nursing) home)\.?|"
    r"(?:&|\band) (?:sons?|daughters?|partners?|co|brothers|associates)\.?)\Z",
    re.IGNORECASE,
)
"""How names of organisations end, and hardly any others."""
_FEW_DIGITS = re.compile(r"\d{1,3}|(?<=[^\n])\d{4,6}")
"""The number of a house, or a code that begins no line: neither says by itself where it is."""
_CLOSE = re.compile(r"[^\w:]{1,3}")


@dataclass(frozen=True, slots=True)
class Name:
    """A name at [start, end) of the text, its class, and a score in [0, 1].

    `label` is one of `LABELS`, or `postcode`.
    """

    start: int
    end: int
    label: str
    score: float


def named(words: Sequence[Word], counted: Sequence[bool], text: str) -> Iterator[Name]:
    """The names in `text`: neighbouring `words` of one class that count, in order."""
    found = [one for run in _runs(words, counted, text) for one in _named(run, text)]
    for at, one in enumerate(found):
        digits = _FEW_DIGITS.fullmatch(text, one.start, one.end)
        if not digits or _is_near(found, at, text):
            yield _trimmed(one, text)


def _is_near(found: Sequence[Name], at: int, text: str) -> bool:
    """Whether a name stands right before or after: the number of a house, and no age."""
    if text[found[at].start - 1 : found[at].start] == ":":
        return False  # of a time
    firsts = [at - 1] if at and found[at - 1].label != "person" else []
    firsts += [at] if at + 1 < len(found) and found[at + 1].label != "person" else []
    return any(_CLOSE.fullmatch(text, found[one].end, found[one + 1].start) for one in firsts)


def _runs(words: Sequence[Word], counted: Sequence[bool], text: str) -> Iterator[list[Word]]:
    run: list[Word] = []
    for word, counts in zip(words, counted, strict=True):
        if run and (not counts or _is_another(word, run[-1], text)):
            yield run
            run = []
        if run and _is_a_small_word(word, run[0], text):
            yield run
            run = []
            continue
        if counts and (run or text[word.start].isalnum()):
            run.append(word)
    yield run


def _is_another(word: Word, before: Word, text: str) -> bool:
    """Whether another name begins: on another line, or surely one of another class."""
    gap = text[before.end : word.start]
    if "\n" in gap:
        return True
    one, other = _class(word), _class(before)
    if one == other or not text[word.start].isalnum():
        return False
    if gap != " " or not text[before.start].isalnum():
        return True
    firm = {one, other} == {_PERSON, _ORGANISATION}
    level = _VERY_SURE_OF_ANOTHER if firm else _SURE_OF_ANOTHER
    return word.chances[one] + before.chances[other] > level


def _is_a_small_word(word: Word, first: Word, text: str) -> bool:
    """Whether a word in small letters follows a name with a capital, and is hardly part of it."""
    written = text[word.start : word.end]
    if not (written.isalpha() and written.islower()) or not text[first.start].isupper():
        return False
    return written not in _SMALL and word.chance < _SURE_OF_SMALL


def _class(word: Word) -> int:
    return max(range(len(LABELS)), key=lambda at: word.chances[at])


def _named(run: Sequence[Word], text: str) -> Iterator[Name]:
    """The names of a run, without marks and linking words at its ends; none of a letter alone."""
    kept = _stripped(run, text)
    if not kept or (len(kept) == 1 and kept[0].end - kept[0].start == 1):
        return
    start, end = kept[0].start, kept[-1].end
    if (field := labels.LABEL.match(text, start)) and field.end() == end:
        return
    whole = _means(kept)
    found = parted(kept, text, lambda part: _label(part, whole, text), firm=_ORGANISATION)
    for label, part in found:
        if len(found) == 1 or part[-1].end - part[0].start > 1:
            yield _name(part, label, text)


def _name(part: Sequence[Word], label: int, text: str) -> Name:
    start, end = part[0].start, part[-1].end
    score = sum(word.chance for word in part) / len(part)
    return Name(start, end, _named_as(LABELS[label], text[start:end]), min(1.0, score))


def _stripped(run: Sequence[Word], text: str) -> list[Word]:
    kept = list(run)
    while kept and (not text[kept[-1].start].isalnum() or _is_link(kept[-1], text)):
        kept.pop()
    while kept and _is_link(kept[0], text):
        kept.pop(0)
    return kept


def _is_link(word: Word, text: str) -> bool:
    if text[word.end : word.end + 1] == ".":
        return False
    return text[word.start : word.end].casefold() in _LINKS


def _means(words: Sequence[Word]) -> list[float]:
    return [sum(word.chances[at] for word in words) / len(words) for at in range(len(LABELS))]


def _label(part: Sequence[Word], whole: Sequence[float], text: str) -> int:
    """The class of a part: what its words say, a little of the whole, and what stands around it."""
    sums = [
        (1 - _OF_THE_WHOLE) * one + _OF_THE_WHOLE * every
        for one, every in zip(_means(part), whole, strict=True)
    ]
    start, end = part[0].start, part[-1].end
    for pattern, label, weight in _BEFORE:
        if pattern.search(text, max(0, start - _CHARACTERS), start):
            sums[label] += weight
    for pattern, label, weight in _AFTER:
        if pattern.match(text, end):
            sums[label] += weight
    if _FIRMS_END.search(text, max(start, end - _CHARACTERS), end):
        sums[_ORGANISATION] += _STRONG
    return max(range(len(LABELS)), key=lambda at: sums[at])


def _named_as(label: str, written: str) -> str:
    """The class, but for a place that is a code."""
    return "postcode" if label == "place" and _CODE.fullmatch(written) else label


def _trimmed(one: Name, text: str) -> Name:
    """Without a title before and the 's of a genitive after; with "Ltd" after a firm."""
    if one.label == "person" and (title := _TITLE.match(text, one.start, one.end)):
        one = replace(one, start=title.end())
    if one.label != "place" and (firm := _FIRM.match(text, one.end)):
        return replace(one, end=firm.end(), label="organisation")
    if text[one.start : one.end].lower().endswith(("'s", "’s")) and one.end - one.start > 3:
        return replace(one, end=one.end - 2)
    return one
