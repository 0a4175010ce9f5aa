"""Requests for all that there is on something: "Tell me about dogs", "opening hours". Pure."""

from __future__ import annotations

import re

from skerry.guardrails.words import content_stems

_ASKED_FOR = re.compile(
    r"^\s*(?:please |can you |could you |i'd like you to )*"
    r"(?:tell (?:me|us)|teach (?:me|us)|what (?:do you know|is there to know|can you tell me)|"
    r"what do (?:the )?(?:documents|rules|pages) say|(?:give (?:me |us )?)?"
    r"(?:some |any |all |more |an )?(?:information|info|details|overview|facts)|"
    r"anything|everything|describe|summari[sz]e|explain|what about|how about)\s+"
    r"(?:something |anything |everything |all |more |a bit |a little )*"
    r"(?:about |on |of |regarding |concerning )?(?:the |your |our )?"
    r"(?P<topic>[\w' /&-]{2,60}?)\s*(?:please)?[.!?]*\s*$",
    re.IGNORECASE,
)
_BARE = re.compile(r"^\s*(?P<topic>[\w'&-]+(?: [\w'&-]+){0,3})\s*[.!?]*\s*$")
_ASKS = re.compile(
    r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|may|"
    r"must|should|shall|will|would|has|have|had|list|compare|cancel|book|show|give|find|get|write|"
    r"make|tell|translate|open|call|send|help|need|wants?)\b",
    re.IGNORECASE,
)


def topic_of(question: str) -> frozenset[str]:
    """The stems of what all is wanted on; empty where something of it is asked."""
    found = _ASKED_FOR.match(question)
    if found is None:
        found = None if _ASKS.search(question) else _BARE.match(question)
    elif _ASKS.search(found["topic"]):
        return frozenset()
    return content_stems(found["topic"]) if found else frozenset()
