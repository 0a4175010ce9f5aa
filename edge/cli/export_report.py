"""`skerry export report`: one page and one JSON file of what was measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.export.report import Summary

SCHEMA = "skerry.export.report/1"


@click.command()
@click.argument("bundle", type=GivenPath())
@option("--out", type=GivenPath(), default="export-report", show_default=True,
        help="Folder of report.html and report.json.")  # fmt: skip
@json_option
def report(bundle: Path, out: Path, as_json: bool) -> None:
    """Write the report of BUNDLE: a bundle, or a folder of `skerry export measure`.

    The page loads nothing and can be sent as it is. Everything that was measured is in the JSON
    file (docs/export-report.md).

    \b
    skerry export report bundle/
    skerry export report measured/ --out report/
    """
    from skerry.export.measure.saved import read_measurements
    from skerry.export.report import report_fields, summaries, write_report

    measured = read_measurements(bundle)
    name = bundle.resolve().name
    page, data = write_report(name, measured, out)
    if as_json:
        fields = report_fields(name, measured)
        emit(SCHEMA, {**fields, "html": str(page), "json": str(data)})
        return
    table("", ("variant", "MB", "loss", "top-1", "tasks", "speed", "MiB", ""),
          [_row(one) for one in summaries(measured)])  # fmt: skip
    for one in measured:
        for failure in one.failures:
            from skerry.edge.terminal import visible

            click.echo(visible(f"{one.name}: no {failure.part}: {failure.what}"), err=True)
    click.echo(f"the report is {page}")


def _row(one: Summary) -> tuple[str, ...]:
    best = "front" if one.size_front or one.speed_front else ""
    agreement = one.top1_agreement if one.kind == "llm" else one.nn_agreement
    numbers = (one.loss, agreement, one.task_score, one.speed, one.peak_mb)
    return (one.name, f"{one.size_mb:.1f}", *map(_short, numbers), best)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"
