"""Screens a text for identifiers, injected instructions and clinical red flags, by pattern.

Findings only: nothing is edited here. Every pattern has bounded repetition and no nested
quantifier, so that matching is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from skerry.guardrails import checksums
from skerry.guardrails.errors import ScreenOverflow
from skerry.guardrails.findings import Finding, FindingKind, Where

MAX_CHARACTERS = 1_000_000

Look = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """A pattern, perhaps with a check of what it matched (separators removed).

    `possible` is a quick look at the folded text: False only where nothing can match.
    """

    kind: FindingKind
    label: str
    pattern: re.Pattern[str]
    score: float
    possible: Look
    check: Callable[[str], bool] | None = None

    def find(self, text: str, where: Where) -> Iterator[Finding]:
        """Every match in `text`."""
        for match in self.pattern.finditer(text):
            if self.check is None or self.check(_bare(match.group())):
                yield Finding(
                    self.kind,
                    self.label,
                    match.start(),
                    match.end(),
                    self.score,
                    where,
                    f"pattern:{self.label}",
                )


def screen(text: str, where: Where = Where.INPUT) -> tuple[Finding, ...]:
    """The findings in `text`, by position; overlapping PII is merged into the longest.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise ScreenOverflow(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are screened",
            hint="send it in parts",
        )
    folded = fold(text)
    possible = (one for one in RECOGNISERS if one.possible(folded))
    found = [finding for one in possible for finding in one.find(text, where)]
    return tuple(_without_overlap(found))


def _without_overlap(findings: list[Finding]) -> Iterator[Finding]:
    """Drops PII that lies within a longer or better PII finding; other kinds are all kept."""
    end = -1
    for finding in sorted(findings, key=lambda f: (f.start, f.start - f.end, -f.score)):
        if finding.kind is FindingKind.PII:
            if finding.start < end:
                continue
            end = finding.end
        yield finding


def fold(text: str) -> str:
    """The text with one case for every letter, as `re.IGNORECASE` sees it."""
    return text.casefold().replace("\u0307", "").replace("ı", "i")  # İ folds into two


def _bare(text: str) -> str:
    return re.sub(r"[ \-]", "", text)


def _has(*parts: str) -> Look:
    return lambda folded: any(part in folded for part in parts)


def _shaped(pattern: str) -> Look:
    search = re.compile(pattern).search
    return lru_cache(maxsize=1)(lambda folded: search(folded) is not None)


def _pii(
    label: str,
    pattern: str,
    score: float,
    possible: Look,
    check: Callable[[str], bool] | None = None,
) -> Recogniser:
    compiled = re.compile(pattern, re.IGNORECASE)
    return Recogniser(FindingKind.PII, label, compiled, score, possible, check)


def _phrase(
    kind: FindingKind, label: str, pattern: str, score: float, possible: Look
) -> Recogniser:
    return Recogniser(kind, label, re.compile(pattern, re.IGNORECASE), score, possible)


_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_DATE = rf"(?:\d{{1,4}}[/.\-]\d{{1,2}}[/.\-]\d{{1,4}}|\d{{1,2}} {_MONTH} \d{{4}})"

_LONG_NUMBER = _shaped(r"\d(?:[ .()\-]{0,3}\d){5}")

RECOGNISERS: tuple[Recogniser, ...] = (
    _pii("email", r"\b[a-z0-9._%+\-]{1,64}@[a-z0-9.\-]{1,190}\.[a-z]{2,24}\b", 1.0, _has("@")),
    _pii("card", r"\b\d(?:[ \-]?\d){12,18}\b", 1.0, _LONG_NUMBER, checksums.luhn),
    _pii(
        "iban",
        r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?\b",
        1.0,
        _shaped(r"\d\d ?[a-z0-9]{4} ?[a-z0-9]{4}"),
        checksums.iban,
    ),
    _pii(
        "nhs_number",
        r"\b\d{3}[ \-]?\d{3}[ \-]?\d{4}\b",
        0.95,
        _LONG_NUMBER,
        checksums.nhs_number,
    ),
    _pii("ssn", r"\b\d{3}-\d{2}-\d{4}\b", 0.95, _LONG_NUMBER, checksums.social_security),
    _pii(
        "mrn",
        r"\b(?:mrn|medical record(?: number| no\.?)?)[ :#]{0,3}[a-z]{0,3}\d{5,10}\b",
        0.95,
        _has("mrn", "medical record"),
    ),
    _pii(
        "date_of_birth",
        rf"\b(?:dob|d\.o\.b\.|date of birth|born(?: on)?)[ :]{{0,3}}{_DATE}",
        0.95,
        _has("dob", "d.o.b.", "date of birth", "born"),
    ),
    _pii(
        "phone",
        r"(?<![\w.])(?:\+|00)[1-9]\d{0,2}(?:[ .\-]?\(?\d{1,4}\)?){2,5}(?!\w)",
        0.9,
        _has("+", "00"),
    ),
    _pii(
        "phone",
        r"(?<![\w.])(?<!\d[ ,])\(?\d{3}\)?[ .\-]\d{3}[ .\-]\d{4}(?!\w)",
        0.8,
        _LONG_NUMBER,
    ),
    _pii(
        "phone",
        r"(?<![\w.])(?<!\d[ ,])\(?0\d{2,4}\)?[ .\-]\d{3,4}[ .\-]?\d{3,4}(?!\w)",
        0.8,
        _LONG_NUMBER,
    ),
    _pii(
        "phone",
        r"\b(?:phone|tel|mobile|call|ring|text)[ .:]{1,3}\d(?:[ .\-]?\d){5,13}(?!\w)",
        0.8,
        _LONG_NUMBER,
    ),
    _pii(
        "ip_address",
        rf"(?<![\w.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\w.])",
        0.8,
        _shaped(r"\d\.\d{1,3}\.\d"),
    ),
    _phrase(
        FindingKind.INJECTION,
        "override",
        r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
        r"\b(?:instructions?|prompts?|rules|guidelines)\b",
        0.9,
        _has("ignore", "disregard", "forget", "override"),
    ),
    _phrase(
        FindingKind.INJECTION,
        "role_play",
        r"\byou are (?:now|no longer)\b[^.\n]{0,40}"
        r"\b(?:dan|unrestricted|jailbroken|bound|an? ai without)\b",
        0.85,
        _has("you are no"),
    ),
    _phrase(
        FindingKind.INJECTION,
        "prompt_extraction",
        r"\b(?:reveal|print|repeat|show)\b[^.\n]{0,30}"
        r"\b(?:system|hidden|initial) (?:prompt|instructions?)\b",
        0.9,
        _has(" prompt", " instruction"),
    ),
    _phrase(
        FindingKind.INJECTION,
        "control_token",
        r"<\|(?:im_start|im_end|system|endoftext|eot_id)\|>",
        1.0,
        _has("<|"),
    ),
    _phrase(
        FindingKind.SAFETY,
        "self_harm",
        r"\b(?:kill(?:ing)? myself|end my (?:own )?life|want to die|suicidal|"
        r"hurt(?:ing)? myself)\b",
        0.95,
        _has("myself", "end my", "want to die", "suicidal"),
    ),
    _phrase(
        FindingKind.SAFETY,
        "clinical_red_flag",
        r"\b(?:i|he|she|they|we|my [a-z]{2,12})\b[^.\n]{0,60}\b(?:took too many (?:pills|tablets)|"
        r"overdosed|can'?t breathe|(?:is|are|am|'m|'s) not breathing|unconscious)\b",
        0.9,
        _has("took too many", "overdosed", "breath", "unconscious"),
    ),
)
