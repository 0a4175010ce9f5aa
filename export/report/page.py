"""The report as one HTML page that loads nothing, with plots as inline SVG.

Whatever a variant is called or a model answered is text in it: every value is escaped, and no
script is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skerry.export.measure.results import Measured
from skerry.export.report import plot
from skerry.export.report.plot import Plot, Point, scatter
from skerry.export.report.summary import Summary, counted, summaries

if TYPE_CHECKING:
    from jinja2 import Template

_SHOWN = 400
_KINDS = {"llm": "Language models", "encoder": "Encoders"}


def render(name: str, measured: Sequence[Measured]) -> str:
    """The page of a bundle or folder called `name`."""
    rows = summaries(measured)
    return _template().render(
        name=name,
        measured=sorted(measured, key=lambda one: [row.name for row in rows].index(one.name)),
        kinds=[_kind(kind, rows) for kind in dict.fromkeys(row.kind for row in rows)],
        sources=list({one.source.get("sha256"): one.source for one in measured}.values()),
        machines=list({str(one.machine): one.machine for one in measured}.values()),
        plot=plot,
        figure=figure,
        percent=percent,
        shown=shown,
        by_text=by_text,
    )


def figure(value: float | None, digits: int = 3) -> str:
    """A number to that many digits; a dash for none."""
    if value is None:
        return "–"
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"


def shown(text: str) -> str:
    """A text at a length that a page can take."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text):,} characters)"


def by_text(one: Measured) -> dict[str, float]:
    """The mean divergence on each of the held texts."""
    sums: dict[str, list[float]] = {}
    for window in one.fidelity.windows if one.fidelity else ():
        total = sums.setdefault(window.text, [0.0, 0.0])
        total[0] += window.kl * window.tokens
        total[1] += window.tokens
    return {text: kl / tokens for text, (kl, tokens) in sums.items()}


def _kind(kind: str, rows: Sequence[Summary]) -> dict[str, Any]:
    of_it = [row for row in rows if row.kind == kind]
    tasks = list(dict.fromkeys(task for row in of_it for task in row.tasks))
    title = _KINDS.get(kind, kind)
    return {"name": kind, "title": title, "rows": of_it, "tasks": tasks, "plots": _plots(of_it)}


def _plots(rows: Sequence[Summary]) -> list[Plot]:
    encoder = rows[0].kind == "encoder"
    loss = "cosine distance" if encoder else "KL divergence, nats"
    speed = "texts/s" if encoder else "tokens/s of an answer"
    made = (
        scatter(
            "Quality against size", "file, MB", loss, list(_losses(rows, "size_mb")),
            logarithmic=True,
        ),
        scatter(
            "Quality against speed", speed, loss, list(_losses(rows, "speed")), logarithmic=True
        ),
        scatter(
            "Task score against size", "file, MB", "mean score", list(_scores(rows)),
            logarithmic=False,
        ),
    )  # fmt: skip
    return [one for one in made if one is not None]


def _losses(rows: Sequence[Summary], x: str) -> Iterator[Point]:
    for row in rows:
        value: float | None = getattr(row, x)
        if value is not None and row.loss is not None:
            on_front = row.size_front if x == "size_mb" else row.speed_front
            yield Point(row.name, value, counted(row.loss), on_front)


def _scores(rows: Sequence[Summary]) -> Iterator[Point]:
    from skerry.export.report.pareto import Place, front

    scored = [row for row in rows if row.task_score is not None]
    best = front([Place(row.name, row.size_mb, -(row.task_score or 0)) for row in scored])
    names = {one.name for one in best}
    for row in scored:
        yield Point(row.name, row.size_mb, row.task_score or 0, row.name in names)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    source = Path(__file__).with_name("report.html").read_text("utf-8")
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.from_string(source)
