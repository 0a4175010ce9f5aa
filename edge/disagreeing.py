"""What another document says of the same thing with other numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from skerry.edge.ranking import Ranked, said
from skerry.guardrails.answer import Evidence
from skerry.guardrails.words import content_stems, numbers

_SAME = 0.6


def disagreeing(
    question: str, claim: str, source: Evidence, near: Iterable[Ranked], words: Iterable[str]
) -> Ranked | None:
    """The first passage of another document that contradicts a claim; None if none does.

    Args:
        question: what is asked; its own numbers are none that may differ.
        claim: what was answered, from `source`.
        near: passages that answer the question as well, best first.
        words: those of the question; such a passage must have all of them that the claim has.
    """
    from skerry.guardrails.grounding.exact import Passage as Beside
    from skerry.guardrails.grounding.exact import exact_findings

    known = numbers(question)
    told, stems = numbers(claim) - known, content_stems(claim)
    asked = frozenset(words) & said(f"{source.context}\n{claim}")

    def contradicts(one: Ranked) -> bool:
        there = Beside(one.passage.spoken, one.source.context)
        return any(finding.contradicts for finding in exact_findings(claim, there))

    others = (
        one
        for one in near
        if one.source.document != source.document
        and _disagree(told, numbers(one.passage.spoken) - known)
        and _same_thing(stems, content_stems(one.passage.spoken))
        and asked <= said(f"{one.source.context}\n{one.passage.spoken}")
        and contradicts(one)
    )
    return next(others, None)


def _disagree(some: frozenset[str], others: frozenset[str]) -> bool:
    """Whether either has a number that the other has not."""
    return bool(some - others) and bool(others - some)


def _same_thing(some: frozenset[str], others: frozenset[str]) -> bool:
    return len(some & others) >= _SAME * max(min(len(some), len(others)), 1)
