"""The recognisers of when something happened to a person: dates of a stay, ages over 89.

A date by itself is none of a person's; the words before it make it one. Which dates and ages
identify follows the HIPAA safe harbour, 45 CFR 164.514(b)(2)(i)(C).
"""

from __future__ import annotations

import re

from skerry.guardrails.identifiers import DATE
from skerry.guardrails.numbers import NOT_AFTER, NOT_BEFORE
from skerry.guardrails.recogniser import Near, Recogniser, has, pii, shaped, words

_HAPPENED = (
    "(?:re-?)?admitted|discharged|died|deceased|passed away|operated|hospitali[sz]ed|transferred|"
    "diagnosed|delivered|married|baptised|attended|presented|(?:was|were|been|last|first) seen"
)
_HAPPENED_STEMS = (
    "admitted", "discharged", "died", "deceased", "passed away", "operated", "hospitali",
    "transferred", "diagnosed", "delivered", "married", "baptised", "attended", "presented",
    " seen",
)  # fmt: skip
_EVENT = (
    "admission|discharge|death|operation|surgery|appointment|visit|procedure|consultation|"
    "delivery|transfer|biopsy|scan|dos|lmp|last (?:menstrual )?period"
)
_OLD = r"(?:1[01]\d|9\d)"
_YEARS = r"(?:years?|yrs?)"

EVENTS: tuple[Recogniser, ...] = (
    pii(
        "date",
        rf"{NOT_AFTER}(?P<id>{DATE}){NOT_BEFORE}",
        0.4,
        has(*_HAPPENED_STEMS),
        near=Near(re.compile(rf"\b(?:{_HAPPENED})\b[^.\n]*\Z"), 0.8),
    ),
    pii(
        "date",
        rf"{NOT_AFTER}(?:{_EVENT})(?:\s(?:date|on|of|was|is|in|at)){{0,3}}[\s:=\-]{{0,3}}(?:the\s)?"
        rf"(?P<id>{DATE}){NOT_BEFORE}",
        0.8,
        has(
            "admission", "discharge", "death", "oper", "surg", "appo", "visit", "proc", "consul",
            "deliv", "transf", "biopsy", "scan", "dos", "lmp", "period",
        ),
    ),
    pii(
        "age",
        rf"(?P<id>[19](?<![\w.,][\s\S])(?:(?<=9)|(?<=1)[01])\d)"
        rf"(?:[ \-]?{_YEARS}[ \-]old|\s?y/?o|\s?{_YEARS}\sof\sage){NOT_BEFORE}",
        0.85,
        shaped(r"[0-9][\s\-]?y"),
    ),
    pii(
        "age",
        rf"{words('aged?', 'turn(?:s|ed)?')}(?:\sof)?(?:\sis)?[\s:]{{1,3}}(?P<id>{_OLD})"
        r"(?!\w|[.,]\d|\s?(?:%|days?|weeks?|months?|hours?|mins?|minutes?|degrees?))",
        0.8,
        has("age", "turn"),
    ),
)  # fmt: skip
