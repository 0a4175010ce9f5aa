"""Whether two sentences oblige and permit the same, and have the same people do it. Pure.

Words of content tell neither: "if we cancel" and "if you cancel" share all of them, and so do
"must be left" and "are usually left".
"""

from __future__ import annotations

import re
from collections import defaultdict

from skerry.guardrails.words import content_stems

_STRONG = re.compile(
    r"\b(?:must|shall|always|only|required?|mandatory|obligatory|ha(?:s|ve) to|need(?:s|ed)? to)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"\b(?:may|might|can|could|usually|often|sometimes|normally|generally|optional(?:ly)?|should)\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"\b(I|we|you|he|she|they)\s+"
    r"(?:(?:will|would|can|may|must|should|do|have to|need to|also|then)\s+)?([a-z]{2,20})\b",
    re.IGNORECASE,
)


def same_force(source: str, claim: str) -> bool:
    """False where one only obliges and the other only permits or tells what is usual."""
    obliges, permits = bool(_STRONG.search(source)), bool(_WEAK.search(source))
    claimed, weakened = bool(_STRONG.search(claim)), bool(_WEAK.search(claim))
    if obliges and not permits:
        return not (weakened and not claimed)
    if permits and not obliges:
        return not (claimed and not weakened)
    return True


def same_persons(source: str, claim: str) -> bool:
    """False where the claim has somebody else do what the source says who does."""
    there, said = _doers(source), _doers(claim)
    return all(there[deed] & said[deed] for deed in there.keys() & said.keys())


def _doers(text: str) -> dict[str, set[str]]:
    """Each deed, as a stem, with the pronouns that do it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for match in _DOES.finditer(text):
        for deed in content_stems(match.group(2)):
            found[deed].add(match.group(1).lower())
    return found
