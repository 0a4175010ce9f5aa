"""Screens what was retrieved before anything is decided on it or made of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skerry.guardrails.findings import Finding, FindingKind, Where
from skerry.guardrails.screen import screen

if TYPE_CHECKING:
    from skerry.edge.index.types import Hit


def screen_sources(
    hits: Sequence[Hit], findings: Sequence[Finding], injection_score: float
) -> tuple[list[Hit], tuple[Finding, ...]]:
    """The hits that may be used, and `findings` with those of all hits after them.

    A source that gives orders to the model (an injection finding of at least
    `injection_score`) is left out; its finding stays, so that the receipt says why.
    """
    kept: list[Hit] = []
    found = list(findings)
    for hit in hits:
        about = screen(hit.chunk.text, Where.CHUNK)
        found += about
        if not any(_gives_orders(finding, injection_score) for finding in about):
            kept.append(hit)
    return kept, tuple(found)


def _gives_orders(finding: Finding, injection_score: float) -> bool:
    return finding.kind is FindingKind.INJECTION and not finding.score < injection_score
