"""Harmless sayings with words that the network takes for a sign of danger. Pure.

They are read with other words of the same length in their place, so that spans stay; whatever else
the sentence says is judged as ever.
"""

from __future__ import annotations

import re

_ONESELF = r"(?:myself|yourself|ourselves|himself|herself|themselves)"
_DO_IT = re.compile(
    rf"\bdo(?:es|ing)? (?:it|this|that|them|these|those|everything)(?: all)?(?: by)? {_ONESELF}\b",
    re.IGNORECASE,
)
_LOSE_IT = re.compile(
    r"\b((?:if|when|in case|that|have|has) (?:i |we |you |they |he |she |someone |somebody )?)"
    r"(?:lose|loses|lost) (?=(?:it|one|them|this|that|mine)\b)",
    re.IGNORECASE,
)
_HURT = r"(?:cut|burn(?:ed|t)?|scald(?:ed)?|hurt|injured|prick(?:ed)?|scratch(?:ed)?|bruised)"
_ACCIDENT = re.compile(
    rf"(?<=\b)({_HURT}) {_ONESELF}(?= (?:on an?|on the|on my|while|when|opening|by accident|"
    r"accidentally|in the (?:kitchen|workshop|garden|lab|office|shop))\b)",
    re.IGNORECASE,
)


def without_idioms(text: str) -> str:
    """The text as the network is to read it, of the same length: "do the work" for "do it myself",
    "cut a hand on a tin" for "cut myself on a tin", and "if I need it" for "if I lose it"."""
    text = _LOSE_IT.sub(lambda found: f"{found[1]}need ".ljust(len(found.group())), text)
    if "sel" not in text.lower():
        return text
    text = _DO_IT.sub(lambda found: "do the work".ljust(len(found.group())), text)
    return _ACCIDENT.sub(lambda found: f"{found[1]} a hand".ljust(len(found.group())), text)
