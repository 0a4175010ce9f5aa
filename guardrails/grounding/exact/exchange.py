"""Says a claim of one drug what the evidence says of another? Words and names only.

"Ibuprofen is preferred" has all its words in "Ibuprofen raises the risk. Paracetamol is
preferred.", but no sentence about ibuprofen has "preferred", and one about another drug does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skerry.guardrails.grounding.exact.kinds import ExactKind, Found
from skerry.guardrails.grounding.exact.names import drugs_in
from skerry.guardrails.grounding.exact.owners import of_another
from skerry.guardrails.grounding.exact.parts import Part
from skerry.guardrails.words import content_stems


def exchanged(claim: str, parts: Sequence[Part]) -> Iterator[Found]:
    """The drugs of the claim of which something is said that only another drug's sentence has.

    A sentence without any drug may go on about the one before: what it has is not missing.
    """
    said = content_stems(claim)
    claimed = list(drugs_in(claim))
    named = [(one, {name for name, _, _ in drugs_in(one.text)}) for one in parts]
    mine = {name for name, _, _ in claimed}
    for name, start, end in claimed:
        about = [(one, drugs) for one, drugs in named if name in drugs]
        if not about:
            continue
        missing = min((said - one.stems for one, _ in about), key=len)
        beside = {drug for _, drugs in about for drug in drugs}
        unnamed = any(missing <= one.own for one, drugs in named if not drugs)
        rivals = [
            one
            for one, drugs in named
            if name not in drugs and drugs - mine and not (drugs & mine) - beside
        ]
        theirs = [one for one in rivals if missing <= one.own]
        of = said - content_stems(name)
        if missing and not unnamed and of_another(of, [one for one, _ in about], theirs):
            yield ExactKind.DRUG, start, end, True
