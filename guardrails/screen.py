"""Screens a text for identifiers, secrets, injected instructions and clinical red flags.

Findings only: nothing is edited here. It reads a plain copy of the text (`normal`), so that no
odd space, look-alike letter or invisible character hides anything; its spans are the text's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from skerry.guardrails.errors import ScreenOverflow
from skerry.guardrails.events import EVENTS
from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.identifiers import IDENTIFIERS
from skerry.guardrails.machines import MACHINES
from skerry.guardrails.normal import Normal, normalise
from skerry.guardrails.papers import PAPERS
from skerry.guardrails.phrases import PHRASES
from skerry.guardrails.recogniser import LEAST_SCORE, Recogniser, Views
from skerry.guardrails.secrets import SECRETS

MAX_CHARACTERS = 1_000_000
RECOGNISERS: tuple[Recogniser, ...] = (
    *IDENTIFIERS,
    *PAPERS,
    *MACHINES,
    *EVENTS,
    *SECRETS,
    *PHRASES,
)


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
    rule = f"pattern:{one.label}"
    for span in one.spans(views):
        score = one.score_at(views, span[0])
        if score >= LEAST_SCORE:
            yield Finding(one.kind, one.label, *normal.original(*span), score, where, rule)


def _without_overlap(findings: list[Finding]) -> list[Finding]:
    """Joins PII that overlaps, under the label of the surest; other kinds are all kept."""
    groups: list[list[Finding]] = []
    latest: list[Finding] = []  # PII, which ends at `end`
    end = 0
    for finding in sorted(findings, key=lambda f: (f.start, f.start - f.end, -f.score)):
        if finding.kind is not FindingKind.PII:
            groups.append([finding])
        elif finding.start < end:
            latest.append(finding)
            end = max(end, finding.end)
        else:
            latest, end = [finding], finding.end
            groups.append(latest)
    return [_joined(group) for group in groups]


def _joined(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    surest = max(group, key=lambda finding: finding.score)
    return replace(surest, start=group[0].start, end=max(finding.end for finding in group))
