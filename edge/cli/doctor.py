"""`skerry doctor`: what works on this machine, what does not, and what fits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import GENERATING, PLACES, json_option, make_settings, settings

if TYPE_CHECKING:
    from skerry.device_profiles import Fit
    from skerry.edge.doctor import ModelFits, Report

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_FITS = {"yes": "fits", "tight": "tight", "no": "no"}


@click.command()
@settings(*PLACES, *GENERATING, "models_dir", "profiles_dir", "offline", "cloud_url", "cloud_model")
@json_option
def doctor(as_json: bool, **given: Any) -> None:
    """Check this machine and this installation, and show which models fit on which device.

    Exit code 1 when a check failed. Nothing is sent anywhere unless a cloud is configured.
    """
    from skerry.edge.doctor import Status, examine

    report = examine(make_settings(given))
    if as_json:
        from skerry.edge.cli.output import plain

        click.echo(json.dumps(report.as_json(), default=plain))
    else:
        _show(report)
    if report.status is Status.FAIL:
        sys.exit(1)


_DETAIL = 19
"""In which column the details of a check begin."""


def _show(report: Report) -> None:
    from skerry.edge.cli.output import hanging

    for check in report.checks:
        line = hanging(f"{check.status:4}  {check.name:12} {check.detail}", _DETAIL)
        mark = click.style(f"{check.status:4}", fg=_COLOURS[check.status])
        click.echo(line.replace(f"{check.status:4}", mark, 1))
        if check.hint:
            click.echo(hanging(f"{'':{_DETAIL}}{check.hint}", _DETAIL))
    click.echo()
    _show_fits(report)


def _show_fits(report: Report) -> None:
    """A row for each model on each device."""
    from skerry.edge.cli.output import table

    columns = ("model", "device", "fits", "needs MB", "has MB", "weights", "KV", "tokens/s")
    table("Will it fit?", columns, (row for model in report.models for row in _rows(model)))


def _rows(model: ModelFits) -> Iterator[tuple[str, ...]]:
    if model.problem:
        yield model.model, model.problem, "", "", "", "", "", ""
    for device, fit in model.fits.items():
        yield model.model, device, *_cells(fit)


def _cells(fit: Fit) -> tuple[str, ...]:
    speed = fit.tokens_per_s_estimate
    return (
        _FITS[fit.fits],
        f"{fit.total_mb:,.0f}",
        f"{fit.limit_mb:,.0f}",
        f"{fit.weights_mb:,.0f}",
        f"{fit.kv_mb:,.0f}",
        f"~{speed:,.0f}" if speed is not None else "?",
    )
