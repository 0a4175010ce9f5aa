"""One wording for what is said in several: "only if" for "not unless", and the like.

Claim and source are laid beside each other as they are, and where that fails in this wording. Each
rule keeps what is said: none of them may make a false claim true. What they do not know they leave
as it is. Pure; English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from skerry.guardrails.rewording.conditions import condition_behind, plain_conditions
from skerry.guardrails.rewording.deeds import plain_deeds
from skerry.guardrails.rewording.values import plain_values
from skerry.guardrails.sentences import LONGEST

__all__ = ["reworded_sentence"]

_MOST_KEPT = 4_096
_MARKUP = re.compile(r"^\||[()<>\[\]\"“”`]")
_STEPS = (plain_values, condition_behind, plain_deeds, plain_conditions)


@lru_cache(maxsize=_MOST_KEPT)
def reworded_sentence(text: str) -> str:
    """A sentence in the one wording; as it is where it is a table row, has brackets or quotation
    marks, or is very long."""
    body = text.strip()
    if _MARKUP.search(body) or len(body) > LONGEST // 4:
        return text
    bare = " ".join(body.split()).rstrip(".")
    said = bare
    for step in _STEPS:
        said = step(said)
    return text if said.lower() == bare.lower() else f"{said[:1].upper()}{said[1:]}."
