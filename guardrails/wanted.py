"""Whether a question wants more than one passage: steps, a list, a count, an extreme, a comparison.

Rules over English words. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from skerry.guardrails.choices import alternatives, as_extreme
from skerry.guardrails.words import content_stems


class Kind(StrEnum):
    STEPS = "steps"
    LIST = "list"
    COUNT = "count"
    EXTREME = "extreme"
    COMPARISON = "comparison"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question wants.

    `noun` are the stems of what is counted or listed, or has the end. Of an extreme, or of a choice
    by one: `most` says which end, and `measures` are the stems that a column for it is named by;
    empty where the question names it. `between` are the stems of each thing that a question lets
    choose from.
    """

    kind: Kind
    noun: frozenset[str] = frozenset()
    most: bool = False
    measures: frozenset[str] = frozenset()
    between: tuple[frozenset[str], ...] = ()

    @property
    def is_price(self) -> bool:
        """Whether an extreme is of what something costs."""
        return self.measures == PRICE


_PRICE = "price cost fee rate charge tariff fare rent pounds euro euros dollars gbp eur usd"
PRICE = content_stems(_PRICE)
_MADE = "built made year founded born constructed manufactured"
MADE = content_stems(_MADE)
_SIZE = "size area capacity seats people persons guests places volume beds"
_EXTREMES = tuple(
    (re.compile(rf"\b(?:{words})\b", re.IGNORECASE), most, content_stems(measures))
    for words, most, measures in (
        (r"cheapest|least (?:expensive|costly)|lowest[- ]priced|most affordable", False, _PRICE),
        (r"most (?:expensive|costly)|dearest|costliest|priciest", True, _PRICE),
        (r"costs? most", True, _PRICE),
        (r"costs? least", False, _PRICE),
        (r"longest", True, "length duration time hours minutes days weeks long"),
        (r"shortest", False, "length duration time hours minutes days weeks height long"),
        (r"heaviest", True, "weight mass kg"),
        (r"lightest", False, "weight mass kg"),
        (r"tallest", True, "height tall"),
        (r"oldest", True, f"age {_MADE}"),
        (r"youngest", False, f"age {_MADE}"),
        (r"newest", False, _MADE),
        (r"fastest|quickest", True, "speed"),
        (r"slowest", False, "speed"),
        (r"strongest", True, "strength"),
        (r"weakest", False, "strength"),
        (r"(?:most|highest|greatest|maximum) [a-z]+", True, ""),
        (r"(?:fewest|least|lowest|minimum) [a-z]+", False, ""),
        (r"largest|biggest|roomiest|greatest|highest", True, _SIZE),
        (r"smallest|tiniest|lowest", False, _SIZE),
    )
)
_BUT_ONE = re.compile(
    r"\b(?:second|third|fourth|next|two|three|four|five|\d+|but one|except|apart from|"
    r"other than)\b",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\b(?!(?:interest|request|test|rest|best|guest|west|nest|chest|forest|harvest|arrest|invest|"
    r"suggest|contest|protest|digest|ingest|manifest|honest|modest|latest|earliest|biopsest)\b)"
    r"[a-z]{3,}(?:est)\b|\b(?:most|fewest|least|highest|lowest)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|hundred)"
    r"((?: (?!(?:of|per|percent|in|to|and|or|from|for|with|out)\b)[\w-]+){1,3})",
    re.IGNORECASE,
)
_ASKS_BOUND = re.compile(r"\b(?:minimum|maximum)\b", re.IGNORECASE)
_BOUND = re.compile(
    r"\b(?:at (?:least|most)|up to|between \d+|from \d+|or (?:more|less|fewer|older|over)|"
    r"(?:no|not) (?:more|less|fewer|longer|older|younger) than|not (?:under|over))\b",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"\b(?:which|what) ([a-z]+)(?: is| are| was| were| has| costs?)\b"
    r"|\b(?:most [a-z]+|[a-z]{3,}est) ([a-z]+)",
    re.IGNORECASE,
)
"""The word for what has the end: "which boat is", "the cheapest boat"."""
_COUNT = re.compile(
    r"\bhow many ((?:[\w-]+ )?[\w-]+)|\bnumber of ((?:[\w-]+ )?[\w-]+)", re.IGNORECASE
)
_COMPARISON = re.compile(
    r"\b(?:compare|comparison|differences? between|versus|vs\.?|differs?\b.{1,40}\bfrom)\b"
    r"|\b\w+er than\b|\b(?:more|less|fewer) \w+ than\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\b(?:list|name|show|give)(?: me| us)? (?:all|every|the|each)\b(?: of)?(?: the)? ([\w-]+)"
    r"|^(?:please )?list ([\w-]+)"
    r"|\b(?:what|which)(?: are)?(?: all)?(?: the)? ((?!(?:is|was|does|has|this|its)\b)[\w-]+s)\b"
    r" (?:are|do|have|can|may|need|must|exist|offer|come|cost)\b"
    r"|\bwhat are (?:all )?the ([\w-]+s)\b",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"\bwhat (?:do|must|should|shall|can|may|will|does) [\w' -]{1,30}?"
    r"(?:bring|need|take along|pack|wear|prepare|include)\b",
    re.IGNORECASE,
)
_NAMED_STEPS = re.compile(
    r"\b(?:steps?|procedure|instructions?|process)\b.{0,20}\b(?:for|to|of|when|if|in)\b",
    re.IGNORECASE,
)
_STEPS = re.compile(
    r"\bhow (?:do|can|should|shall|must|would|could|to|does one|is|are|am)\b"
    r"|\bwhat (?:do|should|must|shall|does|are|is)\b.{0,30}\b(?:do|steps?|procedure|done)\b"
    r"|\bwhat to do\b",
    re.IGNORECASE,
)
ASKING = content_stems(
    """cheapest list show name tell give please many number count total compare comparison
    difference differ versus available offer offered exist existing option choice kind type
    sort different various every each whole complete need get got find know want wanted see
    use one ones most least fewest highest lowest greatest largest biggest smallest expensive
    costly dear affordable longest shortest heaviest lightest tallest oldest youngest fastest
    quickest slowest strongest weakest roomiest maximum minimum priced cost costs price better
    best whats newest cheaper dearer larger smaller bigger longer shorter heavier lighter taller
    older younger newer faster slower more less tall high wide deep heavy thick"""
)
"""What a question asks with; none of it says what it is about."""


def wanted(question: str) -> Wanted | None:
    """What the question wants beyond one passage; None for a plain question."""
    if between := alternatives(question):
        end = _extreme(as_extreme(question)) or Wanted(Kind.COMPARISON)
        return replace(end, kind=Kind.COMPARISON, between=between)
    if _COMPARISON.search(question):
        return Wanted(Kind.COMPARISON)
    return _extreme(question) or _several(question)


def _extreme(question: str) -> Wanted | None:
    for pattern, most, measures in _EXTREMES:
        if pattern.search(question):
            kind = _KIND.search(question)
            noun = content_stems(kind[1] or kind[2]) if kind else frozenset()
            return Wanted(Kind.EXTREME, noun, most, measures)
    return None


def _several(question: str) -> Wanted | None:
    if found := _COUNT.search(question):
        return Wanted(Kind.COUNT, content_stems(found[1] or found[2]))
    if _NAMED_STEPS.search(question):
        return Wanted(Kind.STEPS)
    if (found := _LIST.search(question)) or _NEEDED.search(question):
        noun = next(filter(None, found.groups())) if found else ""
        return Wanted(Kind.LIST, content_stems(noun))
    return Wanted(Kind.STEPS) if _STEPS.search(question) else None


def passes_over_some(question: str) -> bool:
    """Whether it wants another than the first of an order ("the second cheapest"), or several."""
    return _BUT_ONE.search(question) is not None


def lacks_extreme(question: str, text: str) -> bool:
    """Whether the question asks for an extreme, and the text does not speak of any."""
    if asks_bound(question) and _BOUND.search(text):
        return False
    asks = any(pattern.search(question) for pattern, _, _ in _EXTREMES)
    return asks and _EXTREME.search(text) is None


def asks_bound(question: str) -> bool:
    """Whether the question asks for a bound that a rule sets: "the minimum age"."""
    return _ASKS_BOUND.search(question) is not None


def counts(noun: frozenset[str], text: str) -> bool:
    """Whether the text has a number of what a question counts: "three tools"."""
    return bool(noun) and any(noun <= content_stems(found) for found in _COUNTED.findall(text))
