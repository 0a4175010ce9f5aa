"""Shapes and checks of numbers with a check digit, however they are spaced.

A number is found in its usual layout (widths of groups) wherever it stands. Spaced in any other
way it must begin or end its stretch of digits, so that a table of figures is not searched at
each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from skerry.guardrails import checksums
from skerry.guardrails.recogniser import FIRST, Span

NOT_AFTER = r"(?<![^\W_])"
NOT_BEFORE = r"(?![^\W_])"
GAP = r"(?:\r\n|[\W_])?"
"""At most one character that is no letter or digit (a line end counts as one)."""
_ALONE = rf"{FIRST}(?<!\d[\W_]\d)"
_ALONE_BEFORE = rf"(?![\W_]?\d){NOT_BEFORE}"


def _laid_out(first: str, *widths: int) -> str:
    """Groups of these widths, of which the first digit matches `first`."""
    groups = r"[\W_]{1,3}".join(rf"\d{{{width}}}" for width in (widths[0] - 1, *widths[1:]))
    return rf"{first}(?=(?P<rest>{groups}){NOT_BEFORE})"  # ahead: layouts may overlap


_CARD_STARTS = rf"[2-6]{FIRST}(?:(?<!2)|(?=[2-7]))"
"""What `checksums.card` wants of the first digits: so most other numbers cost no check."""
SOLID_CARD = rf"{_CARD_STARTS}\d{{12,18}}{NOT_BEFORE}"
CARD_LAYOUTS = tuple(
    _laid_out(_CARD_STARTS, *widths)
    for widths in ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4))
)
STRETCH = rf"[0-9]{FIRST}\d*(?:(?:\r\n|[\W_])\d+)*{NOT_BEFORE}"
"""Digits with single other characters between them, as many as there are."""

NHS_LAYOUT = (
    rf"[0-9]{FIRST}(?<!\([\s\S])(?<!\+\d[ .\-][\s\S])(?<!\+\d\d[ .\-][\s\S])"
    rf"(?=(?P<rest>\d\d[\s_]{{1,3}}\d{{3}}[\s_]{{1,3}}\d{{4}}){NOT_BEFORE})"
)
"""As it is printed; with other marks it is as likely a telephone number of North America."""
NHS_ALONE = rf"[0-9]{_ALONE}(?:{GAP}\d){{9}}{_ALONE_BEFORE}"
SOLID_NHS = rf"[0-9]{FIRST}\d{{9}}{NOT_BEFORE}"

SSN = (
    rf"[0-9]{FIRST}\d\d(?:-\d\d-\d{{4}}{NOT_BEFORE}|"
    rf"(?<!\d[\W_]\d{{3}})[\W_]\d\d[\W_]\d{{4}}{_ALONE_BEFORE})"
)

_DIGITS = re.compile(r"\d+")
_IN_FOURS = re.compile(r"\d{4}(?:[\W_]\d{4}){3}")
_CARD_MIN_DIGITS = 13
_CARD_MAX_DIGITS = 19
_CARD_MAX_CHARACTERS = 3 * _CARD_MAX_DIGITS + 3  # each digit with "\r\n", and one digit more
_DATE_OR_DECIMAL = re.compile(r"(?:19|20)\d\d\W\d\d?\W\d\d?|\d\d?\W\d\d?\W(?:19|20)\d\d|\d\.\d")
_IBAN_DIGITS = re.compile(r"(?:\d[\W_]{0,3}){6}")


def cards_at_the_ends(stretch: str) -> Iterator[Span]:
    """Cards of a known brand that begin or end the stretch, whole groups of its digits."""
    if len(stretch) < _CARD_MIN_DIGITS or stretch.isdigit() or _IN_FOURS.fullmatch(stretch):
        return  # SOLID_CARD and CARD_LAYOUTS find those
    head = [match.span() for match in _DIGITS.finditer(stretch[:_CARD_MAX_CHARACTERS])]
    for size in range(1, min(len(head), _CARD_MAX_DIGITS) + 1):
        yield from _if_card(stretch, head[0][0], head[size - 1][1])
    skipped = max(0, len(stretch) - _CARD_MAX_CHARACTERS)
    tail = [match.span() for match in _DIGITS.finditer(stretch, skipped)]
    for start, _ in tail[-_CARD_MAX_DIGITS:]:
        if start:  # else it is the whole stretch, which is among the first
            yield from _if_card(stretch, start, len(stretch))


def _if_card(stretch: str, start: int, end: int) -> Iterator[Span]:
    if end - start < _CARD_MIN_DIGITS:
        return
    if checksums.branded_card("".join(_DIGITS.findall(stretch[start:end]))):
        yield start, end


def nhs_number_alone(matched: str) -> Iterator[Span]:
    """All of what matched, if it is an NHS number and not a date or decimals."""
    digits = "".join(_DIGITS.findall(matched))
    if checksums.nhs_number(digits) and not _DATE_OR_DECIMAL.search(matched):
        yield 0, len(matched)


def ibans(matched: str) -> Iterator[Span]:
    """The IBAN that begins what matched: as long as its country says, and not cut short there.

    Six digits in a row, which all have in practice, tell it from words.
    """
    if not _IBAN_DIGITS.search(matched):
        return
    places = [at for at, character in enumerate(matched) if character.isalnum()]
    length = checksums.IBAN_LENGTHS[matched[places[0]] + matched[places[1]]]
    if len(places) < length:
        return
    end = places[length - 1] + 1
    bare = "".join(matched[at] for at in places[:length])
    if not matched[end : end + 1].isalnum() and checksums.iban(bare):
        yield 0, end
