"""Screens a text for identifiers, secrets, injected instructions and clinical red flags.

Findings only: nothing is edited here. It reads a plain copy of the text (`normal`), so that no
odd space, look-alike letter or invisible character hides anything; its spans are the text's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from skerry.guardrails.errors import ScreenOverflow
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.identifiers import IDENTIFIERS
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.phrases import PHRASES
from skerry.guardrails.recogniser import Recogniser, Views
from skerry.guardrails.secrets import SECRETS

MAX_CHARACTERS = 1_000_000
RECOGNISERS: tuple[Recogniser, ...] = (*IDENTIFIERS, *SECRETS, *PHRASES)


def screen(text: str, where: Where = Where.INPUT) -> tuple[Finding, ...]:
    """The findings in `text`, by position; PII findings that overlap are made one.

    Raises:
        ScreenOverflow: the text is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise ScreenOverflow(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are screened",
            hint="send it in parts",
        )
    normal = normalise(text)
    views = Views.of(normal)
    found = [finding for one in RECOGNISERS for finding in _find(one, views, normal, where)]
    return tuple(_without_overlap(found))


def _find(one: Recogniser, views: Views, normal: Normal, where: Where) -> Iterator[Finding]:
    for span in one.spans(views):
        start, end = normal.original(*span)
        yield Finding(one.kind, one.label, start, end, one.score, where, f"pattern:{one.label}")


def _without_overlap(findings: list[Finding]) -> list[Finding]:
    """Joins PII that overlaps, under the label of the surest; other kinds are all kept."""
    kept: list[Finding] = []
    last = -1  # where in `kept` the latest PII is
    for finding in sorted(findings, key=lambda f: (f.start, f.start - f.end, -f.score)):
        if finding.kind is FindingKind.PII:
            if last >= 0 and finding.start < kept[last].end:
                kept[last] = _joined(kept[last], finding)
                continue
            last = len(kept)
        kept.append(finding)
    return kept


def _joined(left: Finding, right: Finding) -> Finding:
    surer = right if right.score > left.score else left
    return replace(surer, start=left.start, end=max(left.end, right.end))
