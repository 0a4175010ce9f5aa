"""The recognisers of numbers on papers: licences, vehicles, accounts, health plans.

Most have no check digit and look like part numbers: the words before them decide.
"""

from __future__ import annotations

from skerry.guardrails import checksums
from skerry.guardrails.numbers import GAP, NOT_AFTER, NOT_BEFORE
from skerry.guardrails.recogniser import FIRST, Recogniser, has, near, pii, shaped, whole, words

_NUMBER = r"(?:\s?(?:number|num\.?|no\.?|nr\.?|id|identifier|ref(?:erence)?|#))"
_TO = r"(?:\s(?:for\s\w{1,20}\s)?(?:is|was))?[\W_]{0,3}"
_CODE = r"(?=[a-z\-]{0,6}\d)[a-z\d](?:[ \-/]?[a-z\d])"
"""Letters and digits in groups, a digit among the first few; say how many more after it."""
_VIN = r"[a-hj-npr-z\d]"

_VEHICLES = (
    pii(
        "driver_licence",
        rf"{NOT_AFTER}(?:(?:driver|driving)(?:['’]?s)?\slicen[cs]e|\bdl\b){_NUMBER}?{_TO}"
        rf"(?P<id>(?=[a-z\-]{{0,6}}\d)[a-z\d](?:-?[a-z\d]){{4,18}}){NOT_BEFORE}",
        0.9,
        has("licen", "dl"),
    ),
    pii(  # the form of many states of the US
        "driver_licence",
        rf"{NOT_AFTER}[a-z]\d{{7,12}}{NOT_BEFORE}",
        0.4,
        shaped(r"[0-9](?<=[a-z]\d)\d{6}"),
        near=near("licen[cs]es?|dl|driving|drivers?", 0.8),
    ),
    pii(  # the form of Great Britain's: surname, date of birth, initials, check characters
        "driver_licence",
        rf"{NOT_AFTER}[a-z]{{1,5}}9{{0,4}}(?<=[a-z\d]{{5}})\d[0156]\d[0-3]\d{{2}}[a-z9]{{2}}[a-z\d]{{3}}"
        rf"{NOT_BEFORE}",
        0.85,
        shaped(r"[0-9]\d{5}"),
    ),
    pii(  # the form of Great Britain's since 2001
        "licence_plate",
        rf"{NOT_AFTER}[a-hj-y]{{2}}\d{{2}}\s?[a-hj-pr-z]{{3}}{NOT_BEFORE}",
        0.4,
        shaped(r"[0-9](?<=[a-z]{2}\d)\d\s?[a-z]{3}"),
        near=near(
            "cars?|vans?|vehicles?|plates?|reg|registrations?|registered|parked|drives?", 0.85
        ),
    ),
    pii(
        "licence_plate",
        rf"{NOT_AFTER}(?:(?:licen[cs]e|number|registration)\splate|(?:car|vehicle)\sreg(?:istration)?)"
        rf"{_NUMBER}?{_TO}(?P<id>(?=[a-z]{{0,4}}[ \-]?\d)[a-z\d]{{1,4}}[ \-]?[a-z\d]{{2,4}})"
        rf"{NOT_BEFORE}",
        0.85,
        has("plate", "reg"),
    ),
    pii(  # the last four are digits: 49 CFR 565.15
        "vehicle",
        rf"{NOT_AFTER}{_VIN}{{13}}\d{{4}}{NOT_BEFORE}",
        0.9,
        shaped(rf"[0-9](?<={_VIN}{{13}}\d)\d{{3}}"),
        whole(checksums.vehicle),
    ),
    pii(
        "vehicle",
        rf"{NOT_AFTER}(?:vin|vehicle\sidentification|chassis){_NUMBER}?{_TO}"
        rf"(?P<id>{_VIN}{{17}}){NOT_BEFORE}",
        0.9,
        has("vin", "vehicle", "chassis"),
    ),
)

_PLANS = (
    "member", "subscriber", "beneficiary", "insurance", "medicare", "medicaid", "policy", "plan",
)  # fmt: skip
_PLAN = words(*(what + _NUMBER for what in _PLANS), "medicare", "medicaid")

_ACCOUNTS = (
    pii(
        "account",
        rf"a{FIRST}(?:ccount|cct\.?|/c){_NUMBER}?{_TO}"
        rf"(?P<id>\d(?:[ \-]?\d){{5,16}}){NOT_BEFORE}",
        0.9,
        has("account", "acct", "a/c"),
    ),
    pii(
        "account",
        rf"{NOT_AFTER}sort\scode{_TO}(?P<id>\d\d[ \-]?\d\d[ \-]?\d\d){NOT_BEFORE}",
        0.9,
        has("sort"),
    ),
    pii(
        "account",
        rf"{NOT_AFTER}(?:routing|aba|transit){_NUMBER}?{_TO}(?P<id>\d(?:{GAP}\d){{8}}){NOT_BEFORE}",
        0.9,
        has("routing", "aba", "transit"),
        whole(checksums.routing),
    ),
    pii(
        "health_plan",
        rf"{_PLAN}{_TO}(?P<id>{_CODE}{{5,14}}){NOT_BEFORE}",
        0.85,
        has("member", "subscriber", "benefic", "insur", "medic", "policy", "plan"),
    ),
    pii(
        "national_insurance",
        rf"{NOT_AFTER}[abceghj-prstw-z][abceghj-nprstw-z](?:{GAP}\d\d){{3}}{GAP}[a-d]{NOT_BEFORE}",
        0.9,
        shaped(
            r"[0-9](?:(?<=[a-z]{2}[0-9])|(?<=[a-z]{2}[\W_][0-9]))\d"
            rf"(?:{GAP}\d\d){{2}}{GAP}[a-d]"
        ),
    ),
)

PAPERS: tuple[Recogniser, ...] = (*_VEHICLES, *_ACCOUNTS)
