"""Names in a claim that its passage does not have: of drugs, people, places, forms, devices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources

from skerry.guardrails.english import FUNCTION_WORDS
from skerry.guardrails.words import content_stems

_WORD = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_SENTENCE_START = re.compile(r"(?:^|[.!?:;]\s+|\n)[\s\"'(\u201c*-]*$")
_MOST_KEPT = 512  # texts whose names are kept: the sentences of a window are asked for often
_LOOK_BACK = 12  # characters before a word that say whether a sentence begins there
_CODE = re.compile(r"(?=[A-Za-z0-9-]*[A-Za-z])(?=[A-Za-z0-9-]*\d)[A-Za-z0-9-]{2,24}")
_DRUG_ENDING = re.compile(
    r"[a-z]{2,}(?:olol|pril|sartan|statin|cillin|mycin|micin|conazole|prazole|oxacin|azepam|zolam|"
    r"caine|profen|fenac|oxaban|gatran|parin|gliptin|gliflozin|formin|tidine|setron|triptan|tadine|"
    r"cycline|dipine|thiazide|semide|sone|solone|lukast|terol|tropium|zumab|ximab|mumab|tinib|ciclovir|"
    r"navir|tegravir|barbital|gabalin|zodone|oxetine|pramine|triptyline|azine|peridol|apine|idone|"
    r"cef[a-z]+|sulfa[a-z]+|dronate|glitazone|urea|curium|fentanil|morphone|codone)"
)
_ENDING_ONLY = frozenset("urea person reason season prison poison lesson cocaine someone".split())
_DAYS_AND_MONTHS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december""".split()
)
_SAME = {
    "acetaminophen": "paracetamol", "epinephrine": "adrenaline", "albuterol": "salbutamol",
    "norepinephrine": "noradrenaline", "meperidine": "pethidine", "lidocaine": "lignocaine",
    "frusemide": "furosemide", "cephalexin": "cefalexin", "glyburide": "glibenclamide",
    "rifampin": "rifampicin", "isoproterenol": "isoprenaline", "cyclosporine": "ciclosporin",
    "chlorpheniramine": "chlorphenamine", "coumadin": "warfarin", "tylenol": "paracetamol",
    "nurofen": "ibuprofen", "advil": "ibuprofen", "ventolin": "salbutamol",
}  # fmt: skip


@cache
def drugs() -> frozenset[str]:
    """Generic names of common drugs, in lower case (`drugs.txt`)."""
    text = resources.files(__package__).joinpath("drugs.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


@lru_cache(maxsize=_MOST_KEPT)
def drugs_in(text: str) -> tuple[tuple[str, int, int], ...]:
    """Words that are drugs by the list or by their ending, with their spans, one name for each.

    A part of a compound is a word: "insulin-dependent".
    """
    return tuple(_drugs_in(text))


def _drugs_in(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _WORD.finditer(text):
        whole = match.group().lower()
        alone = whole.isalnum() or is_drug(whole)
        parts = [(whole, match.start())] if alone else _parts(whole, match.start())
        for word, start in parts:
            if is_drug(word):
                yield _SAME.get(word, word), start, start + len(word)


def _parts(word: str, start: int) -> list[tuple[str, int]]:
    return [(one.group(), start + one.start()) for one in _PART.finditer(word)]


@cache
def _is_drug(word: str) -> bool:
    known = word in drugs() or word in _SAME
    return known or (word not in _ENDING_ONLY and _DRUG_ENDING.fullmatch(word) is not None)


def is_drug(word: str) -> bool:
    """Whether a lower-case word names a drug, by the list or by its ending."""
    return len(word) < 32 and _is_drug(word)


@lru_cache(maxsize=_MOST_KEPT)
def names_in(text: str) -> tuple[tuple[str, int, int], ...]:
    """Codes with a digit, capitalised words within a sentence, and words in capitals."""
    return tuple(_names_in(text))


def _names_in(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _WORD.finditer(text):
        word = match.group()
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        opens = _SENTENCE_START.search(before) is not None and len(before) < _LOOK_BACK
        opens = opens or re.search(r"[.!?:;]\s+[\"'(\u201c*-]*$", before) is not None
        if _is_name(word, opens=opens):
            yield word, *match.span()


def _is_name(word: str, *, opens: bool) -> bool:
    if word.lower() in _DAYS_AND_MONTHS or len(word) > 40 or word.lower() in FUNCTION_WORDS:
        return False
    if _CODE.fullmatch(word):
        return not re.fullmatch(r"\d+(?:st|nd|rd|th|am|pm|[KMB]|[a-zµ]{1,4}|(?:-[a-z]+)+)", word)
    capitals = sum(character.isupper() for character in word)
    return capitals > 1 or (capitals == 1 and word[0].isupper() and len(word) > 1 and not opens)


def is_named(word: str, text: str) -> bool:
    """Whether the text has the name: as written, inflected, as initials or spelled out."""
    low, bare = word.lower(), text.lower()
    if re.search(rf"(?<![^\W_]){re.escape(low)}(?![^\W_])", bare):
        return True
    if any(character.isdigit() for character in word):
        return _has_code(low, bare)
    stems = content_stems(word)
    if stems and stems <= content_stems(text):
        return True
    parts = [part for part in re.split(r"[-'\u2019]", low) if part]
    if len(parts) > 1 and all(part in bare for part in parts):
        return True
    return word.isupper() and _initials(low, bare)


def _has_code(code: str, text: str) -> bool:
    """Whether the code is there, however its letters and digits are joined: "IP 20" for "IP-20"."""
    parts = re.findall(r"[^\W\d_]+|\d+", code)
    joined = r"[\s-]?".join(re.escape(part) for part in parts)
    return re.search(rf"(?<![^\W_]){joined}(?![^\W_])", text) is not None


def _initials(word: str, text: str) -> bool:
    """Whether words in a row have these first letters."""
    firsts = "".join(match.group()[0] for match in _WORD.finditer(text))
    return len(word) > 1 and word in firsts
