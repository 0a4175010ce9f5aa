"""What a question expects of its answer: a time, a number, a place. Rules over English words."""

from __future__ import annotations

import re

from skerry.guardrails.words import content_stems, numbers

_TELEPHONE = re.compile(r"(?<![\d.,£$€])(?:\+\d{1,3}[ -]?)?\(?0\d{2,5}\)?(?:[ -]?\d{2,6}){1,4}\b")
_AMOUNT = re.compile(r"\bhow (?:many|much|far|high|tall|large|old|long)|\bcosts?\b", re.IGNORECASE)
_WHO = re.compile(
    r"\bwho(?:['’]s| is| are| was| were) (?:the|our|your|its|their|my)\b", re.IGNORECASE
)
_NAME = re.compile(r"(?<=[^.?!:;\n•-] )[A-Z][\w'’-]+|(?<=: )[A-Z][\w'’-]+(?= [A-Z])")
_TIME = re.compile(r"\bwhen\b|\b(?:what|which) (?:time|day|date|year|month)", re.IGNORECASE)
_MONEY = re.compile(r"[£$€¥] ?\d[\d.,]*|\d[\d.,]* ?(?:€|%|pounds|euros?|dollars|per ?cent)")
_AMOUNT_OF_MONEY = re.compile(
    r"[£$€¥] ?\d|\d ?(?:€|(?:pounds|euros?|dollars|pence|cents|gbp|eur|usd)\b)"
    r"|\b(?:prices?|costs?|fees?|rates?|charges?)\b[^:;.]{0,20}: ?\d",
    re.IGNORECASE,
)
_PRICED = r"(?:costs?|prices?|fees?|charges?|tariffs?|fares?|rates?)"
_ASKS_PRICE = re.compile(
    rf"\bhow (?:much|expensive) (?:is|are|was|were|does|do|did|would|will|for|to|must|should)\b"
    rf"|\bwhat(?:['’]s| is| are| was| were| do| does| did| would)\b.{{0,60}}\b{_PRICED}\b"
    rf"|\b(?:what|which) {_PRICED}\b|^\W*(?:\w+ )?{_PRICED} (?:for|of|to)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_SPELT = (
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|"
    r"fifty|sixty|ninety|hundred|thousand|half)\b"
    r"|\b(?:one|an?) (?:minute|hour|day|week|month|year)\b"
)
_TIMES = (
    r"\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:jan|febr)uary|\bmarch\b|\bapril|"
    r"\bmay\b|\bjune|\bjuly|\baugust|(?:septem|octo|novem|decem)ber"
)
_OCCASIONS = (
    r"|\b(?:mornings?|noon|afternoons?|evenings?|nights?|midnight|bedtime|weekends?|today|tomorrow|"
    r"before|after|when|whenever|once|until|daily|weekly|as soon as|immediately|at once)\b"
)
_KINDS = tuple(
    (re.compile(rf"\b(?:{asks})\b", re.IGNORECASE), re.compile(gives, re.IGNORECASE))
    for asks, gives in (
        (r"how often", r"\bevery|\beach|\bdaily|weekly|monthly|yearly|annual|\bonce|\btwice|\d"),
        (r"when", _TIMES + _OCCASIONS + _SPELT),
        (
            r"(?:what|which) (?:time|day|date|year|month)|how (?:early|late|long|old)",
            _TIMES + _SPELT,
        ),
        (
            r"how (?:many|much|far|high|tall|large)|costs?|(?:number|extension|code|price|dose)",
            r"\d" + _SPELT,
        ),
        (r"what temperature|how (?:hot|warm|cold)", r"\d\s?(?:°|degrees?\b|[CFK]\b)"),
        (r"where", r"\b(?:in|at|on|near|beside|behind|opposite|from)\b"),
    )
)
_LENGTH = r"\d[\d.,]* ?(?:m|metres?|meters?|cm|mm|km|kilometres?|miles?|feet|foot|ft|inch(?:es)?)\b"
_CLOCK = r"\d{1,2}(?:[:.]\d\d| ?[ap]m)"
_HOURS = rf"\b{_CLOCK} ?(?:[-–]|to|until|till|and) ?{_CLOCK}"
_LASTS = r"\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|sessions?|min|h)\b"
_TOLD = tuple(
    (content_stems(words), re.compile(gives, re.IGNORECASE))
    for words, gives in (
        ("temperature hot warm cold degrees", r"\d ?(?:°|degrees?\b|[CF]\b)"),
        (
            "time early late clock hour hours",
            r"\b\d{1,2}[:.]\d\d\b|\b\d{1,2} ?[ap]m\b|\bnoon\b|\bmidnight\b",
        ),
        ("open opens opened opening close closes closed closing shut shuts until", _HOURS),
        ("tall high height long length wide width deep depth far distance", _LENGTH),
        (
            "old age",
            r"\d[\w ]{0,12}\b(?:years?|months?|weeks?)\b"
            r"|\b(?:at least|over|under|aged|minimum|from) \d{1,2}\b(?![.:,]?\d| ?[%£€$:])"
            r"|\b(?:since|in|of) (?:\w+ )?(?:19|20)\d\d\b",
        ),
        (
            "long length duration take takes last lasts",
            rf"(?:\d{_SPELT})[ -]?(?:\w+ )?{_LASTS}",
        ),
        (
            "number phone telephone ring call dial extension",
            rf"{_TELEPHONE.pattern}|\bextension \d+",
        ),
        ("heavy weight weigh weighs", r"\d ?(?:kg|kilos?|g|grams?|tonnes?|lbs?|pounds)\b"),
        (
            "cost costs price fee charge pay",
            r"[£$€¥] ?\d|\d ?(?:pounds|euros?|dollars|pence|cents)\b",
        ),
        ("minimum least", r"\b(?:at least|from|between|over|or more)\b|\bnot (?:less|under)\b"),
        (
            "maximum most",
            r"\b(?:at most|up to|between|under|or (?:less|fewer))\b|\b(?:no|not) more than\b",
        ),
        ("code number", r"\b[A-Z]{1,3}-?\d{2,}\b"),
        ("place find", r"\b(?:in|at|on|near|behind|beside|opposite) (?:the|room|building)\b"),
    )
)
_YES_OR_NO = re.compile(
    r"(?:^|[.!?\n,]\s{0,4})(?:and |or |but |so )?"
    r"(?:is|are|am|was|were|do|does|did|can|could|may|might|must|should|shall|will|would|has|have|had|isn.t|aren.t|don.t|doesn.t|can.t)\b",
    re.IGNORECASE,
)


def adds(question: str, claim: str) -> bool:
    """Whether the claim says anything that the question does not; a yes or no is enough where
    one is asked for."""
    told = content_stems(claim) - content_stems(question) or numbers(claim) - numbers(question)
    return bool(told) or not question.strip() or _YES_OR_NO.search(question) is not None


def told_plainly(question: str, text: str) -> frozenset[str]:
    """The stems of the question that ask for a kind of thing which the text gives plainly: it need
    not say "temperature" where it says "134 degrees"."""
    asked, there = content_stems(question), beyond(question, text)
    kinds = (words & asked for words, gives in _TOLD if words & asked and gives.search(there))
    return frozenset().union(*kinds)


def expected(question: str) -> re.Pattern[str] | None:
    """What an answer to `question` must have somewhere; None where nothing is known of it."""
    return next((gives for asks, gives in _KINDS if asks.search(question)), None)


def beyond(question: str, text: str) -> str:
    """The text without the numbers that the question has already."""
    known = numbers(question)
    return _NUMBER.sub(lambda found: "" if found.group() in known else found.group(), text)


def asks_price(question: str) -> bool:
    """Whether the question asks what something costs; "how much is" may ask for another amount."""
    return _ASKS_PRICE.search(question) is not None


def tells_amount(text: str) -> bool:
    """Whether the text has an amount of money; "Price in euros: 12" has."""
    return _AMOUNT_OF_MONEY.search(text) is not None


def asks_time(question: str) -> bool:
    return _TIME.search(question) is not None


def names_somebody(question: str, text: str) -> bool:
    """Whether `text` has a name that the question has not; True where none is asked for."""
    return _WHO.search(question) is None or bool(_names(text) - _names(question))


def _names(text: str) -> set[str]:
    """The words with a capital that begin no sentence and no cell."""
    return set(_NAME.findall(text))


def gives(question: str, text: str) -> bool:
    """Whether `text` has what `question` expects; True where nothing is known of it."""
    if not names_somebody(question, text):
        return False
    kind = expected(question)
    if _AMOUNT.search(question):
        text = _TELEPHONE.sub("", text)
    if _TIME.search(question):
        text = _MONEY.sub("", text)
    return kind is None or kind.search(beyond(question, text)) is not None
