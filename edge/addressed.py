"""Tells what is said to an organisation, whose documents these are, from what is said to a program.
Pure; rules over English.

"Can you fix my brakes?", "Do you sell bells?" and "I lost my card" mean the people of the
documents; "Book a table", "I want you to write a poem" and "Do you like music?" the program.
"""

from __future__ import annotations

import re

from skerry.edge.smalltalk import without_opening

_MADE_UP = (
    r"(?:write|compose|sing|draw|paint|code|program|translate|invent|make up|pretend|imagine|act|"
    r"joke|rhyme|tell|guess|solve|calculate)\b"
)
_OF_ITSELF = (
    r"(?:like|love|hate|think|feel|believe|know|dream|remember|prefer|agree|understand|speak|want|"
    r"mind|wish|hope|consider)\b"
)
_START = r"(?:^|[,.;:!?]\s*|\b(?:and|but|so|or|because) )(?:(?:and|but|so|or|ok|please),? )*"
_ASKED_OF_IT = re.compile(
    rf"{_START}(?:(?:can|could|would|will|might) you (?:please )?{_MADE_UP}"
    rf"|(?:do|did|would|can|could) you (?:\w+ly )?{_OF_ITSELF}"
    r"|(?:who|what|how) (?:are|were) you\b)"
)
_ASKED = re.compile(
    rf"{_START}(?:(?:until|till|since|by|from|on|at|in|to|for|with) )?"
    r"(?:(?:who|whom|whose|where|when|which(?: \w+)?|what (?:time|day)s?) )?"
    r"(?:do|does|did|are|were|can|could|would|will|have|may|must|should) (?:you|we|i)\b"
)
_TOLD = re.compile(
    r"(?:i|we|my|our|the|an?|there|it|this|that|these|those|he|she|they|his|her|their|some(?:one|"
    r"body|thing)|nobody)\b"
)
_TO_A_PROGRAM = re.compile(
    r"(?:i|we)(?:['’]d| would)? (?:want|need|like|ask|order|tell|command) you\b"
)
_WHO = re.compile(r"(?:(?:and|but|so|ok) )*(?:who|whom|whose|where|when|until when|since when)\b")


def is_for_people(request: str) -> bool:
    """Whether what somebody wants, has or lost is told or asked, and no program told to do it."""
    text = _plain(request)
    if _TO_A_PROGRAM.match(text) or _ASKED_OF_IT.search(text):
        return False
    return _TOLD.match(text) is not None or _ASKED.search(text) is not None


def asks_people(question: str) -> bool:
    """Whether the people of the documents are asked what they do, have or allow."""
    text = _plain(question)
    return _ASKED.search(text) is not None and not _ASKED_OF_IT.search(text)


def asks_who(question: str) -> bool:
    """Whether it is asked who, where or when."""
    return _WHO.match(_plain(question)) is not None


def _plain(text: str) -> str:
    return " ".join(without_opening(text).lower().split())
