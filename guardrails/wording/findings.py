"""What is found in a text sentence by sentence: orders to the model, and signs of danger.

Only where no pattern of the same kind speaks of the same words: patterns name what they see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.guardrails import injection, safety
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.injection import answering, posing
from skerry.guardrails.networks import INSTALLED, Networks
from skerry.guardrails.normal import Normal
from skerry.guardrails.safety.idioms import without_idioms

if TYPE_CHECKING:
    from skerry.guardrails.injection.meaning import Encode
    from skerry.guardrails.wording.signs import Least, Sign


def findings(
    normal: Normal,
    where: Where,
    known: Sequence[Finding],
    encode: Encode | None = None,
    least: Least | None = None,
    *,
    networks: Networks = INSTALLED,
) -> list[Finding]:
    """What sentences add to the findings `known`. `encode` gives sentences their vectors,
    `least` is what counts, and `networks` look.

    Signs of danger are not looked for in documents, which speak of danger to help; what an answer
    is to be (`injection.answering`) is looked for in documents only.

    Raises:
        GuardrailError: weights are missing, were changed or cannot be loaded; or `least` has
            no score of a safety class.
    """
    words = networks.read(normal.text)
    if not words.spans:
        return []
    order, danger = (least.order, least.danger) if least else (None, None)
    orders = injection.find(normal.text, words, where, encode, order, networks=networks)
    made = [_finding(one, FindingKind.INJECTION, normal, where) for one in orders]
    if where is Where.CHUNK:
        plain = normal.text.lower()
        told = [*answering.find(plain), *posing.find(plain)]
        of_words = [_finding(one, FindingKind.INJECTION, normal, where, "words") for one in told]
        made += [one for one in of_words if not any(_same(one, other) for other in made)]
    else:
        plain = without_idioms(normal.text)
        same = plain == normal.text
        dangers = safety.find(words if same else networks.read(plain), danger, networks)
        made += [_finding(one, FindingKind.SAFETY, normal, where) for one in dangers]
    return [one for one in made if not any(_same(one, other) for other in known)]


def _finding(
    one: Sign, kind: FindingKind, normal: Normal, where: Where, how: str = "network"
) -> Finding:
    start, end = normal.original(one.start, one.end)
    return Finding(kind, one.label, start, end, one.score, where, f"{how}:{kind}")


def _same(one: Finding, other: Finding) -> bool:
    return one.kind is other.kind and one.start < other.end and other.start < one.end
