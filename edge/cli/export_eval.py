"""`skerry export eval`: whether one bundle may take the place of another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, table
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.export.evaluation import Check, Verdict

SCHEMA = "skerry.export.eval/1"
FAILED = 1


@click.command("eval")
@click.argument("old", type=GivenPath(), required=False)
@click.argument("new", type=GivenPath(), required=False)
@option("--thresholds", type=GivenPath(), help="TOML file; what it leaves out is as by default.")
@option("--variant", metavar="NAME", help="Only this variant of NEW.")
@option("--against", metavar="NAME", help="The variant of OLD; default: of the same name.")
@option("--print-thresholds", is_flag=True, help="Print the default thresholds, and end.")
@json_option
def evaluate(
    old: Path | None,
    new: Path | None,
    thresholds: Path | None,
    variant: str | None,
    against: str | None,
    print_thresholds: bool,
    as_json: bool,
) -> None:
    """Say whether NEW is as good as OLD: bundles, or folders of `skerry export measure`.

    Variants of the same name are compared: tasks item by item, fidelity window by window, speed,
    memory and size. The exit code is 0 where all checks pass and 1 where one fails; 2 to 4 where
    the two cannot be compared (docs/export-report.md).

    \b
    skerry export eval bundle-1/ bundle-2/
    skerry export eval bundle/ bundle/ --against gguf-q8_0 --variant gguf-q4_k_m
    skerry export eval --print-thresholds > gate.toml
    """
    from skerry.export.evaluation import DEFAULTS, gate, pairs_of, read_thresholds
    from skerry.export.measure.saved import read_measurements

    if print_thresholds:
        click.echo(DEFAULTS.read_text("utf-8"), nl=False)
        return
    if old is None or new is None:
        raise click.UsageError("Give two bundles: OLD and NEW.")
    limits = read_thresholds(thresholds)
    measured = read_measurements(old), read_measurements(new)
    pairs = pairs_of(*measured, variant=variant, against=against)
    verdicts = [gate(pair, limits) for pair in pairs]
    if as_json:
        emit(SCHEMA, eval_fields(verdicts))
    else:
        _print(verdicts)
    sys.exit(0 if all(one.ok for one in verdicts) else FAILED)


def eval_fields(verdicts: list[Verdict]) -> dict[str, Any]:
    """The verdicts as JSON."""
    from dataclasses import asdict

    pairs = [{**asdict(one), "ok": one.ok} for one in verdicts]
    return {"ok": all(one.ok for one in verdicts), "pairs": pairs}


def _print(verdicts: list[Verdict]) -> None:
    from skerry.edge.terminal import visible

    for one in verdicts:
        click.echo(visible(f"{one.new} in the place of {one.old}: {'pass' if one.ok else 'FAIL'}"))
        columns = ("check", "", "old", "new", "difference", "bound", "note")
        table("", columns, [tuple(_row(check)) for check in one.checks])


def _row(check: Check) -> Iterator[str]:
    yield check.name
    yield str(check.outcome)
    yield from map(_short, (check.old, check.new))
    found = check.difference
    shown = f"{found.estimate:.3g} [{found.low:.3g}, {found.high:.3g}]" if found else ""
    yield shown
    yield _short(check.bound)
    yield check.note


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
