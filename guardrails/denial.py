"""Whether a text denies what is claimed of it, clause by clause. Pure.

"Guests may speak, but never vote" denies that they vote, and does not deny that they speak.
"""

from __future__ import annotations

import re

from skerry.guardrails.words import content_stems, denies

_BREAK = re.compile(r"[;,]\s+|\s(?:and|but|while|whereas)\s|\n")


def denies_it(text: str, claim: str) -> bool:
    """Whether `text` says "not" of what `claim` is about.

    Not where the claim has no "not", and all its words are in clauses that have none, either.
    """
    if not denies(text) or denies(claim):
        return denies(text)
    plain = "\n".join(clause for clause in _BREAK.split(text) if not denies(clause))
    return not content_stems(claim) <= content_stems(plain)
