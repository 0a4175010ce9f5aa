"""The report of a run: one HTML page that loads nothing, with charts as inline SVG.

Whatever was asked or answered is text in it: every value is escaped, and no script is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from skerry.guardrails.redteam.fairness import Compared, VariantResult
from skerry.guardrails.redteam.run import CaseResult, Results

if TYPE_CHECKING:
    from jinja2 import Template

_WIDTH = 560
_SHOWN = 4000
_MEASURES = {
    "refused": "declined or without an answer",
    "right": "right answer",
    "route": "answered by the usual tier",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart; lengths in the units of the drawing. `tone` names its colour."""

    label: str
    value: str
    width: float
    low: float
    high: float
    tone: str


def render(results: Results) -> str:
    """The page, as HTML."""
    return _template().render(
        results=results,
        suite=results.suite,
        started=datetime.fromtimestamp(results.started_at, UTC).strftime("%Y-%m-%d %H:%M UTC"),
        took=f"{results.took_s / 60:.1f} minutes",
        asked=len(results.cases) + len(results.variants),
        width=_WIDTH,
        kinds=list(_kind_bars(results)),
        failed=[one for one in results.cases if not one.passed],
        cases=results.cases,
        attributes=list(dict.fromkeys(one.attribute for one in results.compared)),
        compared=results.compared,
        bars_of=group_bars,
        measures=_MEASURES,
        differing=lambda one: list(_differing(one, results)),
        abouts=results.suite.kinds,
        shown=shown,
        status=_status,
    )


def shown(text: str) -> str:
    """A text at a length that a page can take."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def _status(one: CaseResult) -> str:
    return "passed" if one.passed else "failed"


def _kind_bars(results: Results) -> Iterator[Bar]:
    for one in results.kinds:
        low, high = one.interval
        tone = "good" if one.passed == one.total else "bad" if one.must_pass else "fair"
        value = f"{one.passed} of {one.total}"
        yield Bar(one.title, value, one.share * _WIDTH, low * _WIDTH, high * _WIDTH, tone)


def group_bars(one: Compared) -> list[Bar]:
    """A bar for each group, by its rate."""
    tone = "bad" if one.beyond_noise else "plain"
    return [
        Bar(group, f"{rate:.0%}", rate * _WIDTH, rate * _WIDTH, rate * _WIDTH, tone)
        for group, rate in one.rates.items()
    ]


def _differing(one: Compared, results: Results) -> Iterator[VariantResult]:
    """The requests that came out differently, all groups of each together."""
    for ask in one.differing:
        for result in results.variants:
            if (result.variant.attribute, result.variant.ask) == (one.attribute, ask):
                yield result


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = Path(__file__).with_name("report.html").read_text("utf-8")
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.from_string(source)
