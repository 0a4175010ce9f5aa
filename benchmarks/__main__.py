"""`python -m benchmarks list`, `run NAME [--quick] [--json] [--plot FILE]`, `plot JSON FILE`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from benchmarks.contract import Benchmark, DataMissing, Figure, Options, machine
from benchmarks.plot import draw

NAMES = (
    "device",
    "search",
    "retrieval",
    "router",
    "server",
    "guardrails",
    "split",
    "gateway",
    "collection_search",
    "vllm_runs",
    "export",
    "delta",
    "fleet",
    "faults",
)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command("list", help="Name the benchmarks and their figures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_(as_json: bool) -> None:
    keys = {name: list(_load(name).KEYS) for name in NAMES}
    if as_json:
        click.echo(json.dumps(keys))
        return
    for name, figures in keys.items():
        click.echo(f"{name}: {', '.join(figures)}")


@main.command(help="Run one benchmark and print its figures.")
@click.argument("name", type=click.Choice(NAMES))
@click.option("--quick", is_flag=True, help="Under a minute: smaller, the same keys.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="SKERRY_DATA",
    show_envvar=True,
    help="Folder of public data sets.",
)
@click.option("--plot", type=_FILE, help="Draw the figures here, too (.png, .svg, .pdf).")
def run(
    name: str, quick: bool, as_json: bool, seed: int, data: Path | None, plot: Path | None
) -> None:
    module = _load(name)
    try:
        figures = module.run(Options(quick=quick, seed=seed, data=data))
    except DataMissing as error:
        raise click.ClickException(str(error)) from None
    if set(figures) != set(module.KEYS):
        raise click.ClickException(f"'{name}' reported other figures than it names")
    if as_json:
        click.echo(json.dumps(_document(name, figures)))
    else:
        _print_table(name, figures)
    if plot:
        _draw(_document(name, figures), plot)


@main.command(help="Draw the JSON object of a run as a picture (.png, .svg, .pdf).")
@click.argument("document", metavar="JSON", type=click.File(encoding="utf-8"))
@click.argument("file", type=_FILE)
def plot(document: TextIO, file: Path) -> None:
    try:
        _draw(json.load(document), file)
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise click.ClickException(f"'{document.name}' is no output of `run --json`") from None


def _draw(document: dict[str, object], file: Path) -> None:
    try:
        draw(document, file)
    except ImportError:
        raise click.ClickException("plots need matplotlib: pip install -e '.[train]'") from None
    except (OSError, ValueError) as error:
        raise click.ClickException(f"'{file}' cannot be drawn: {error}") from None


def _load(name: str) -> Benchmark:
    module: Benchmark = importlib.import_module(f"benchmarks.{name}")  # type: ignore[assignment]
    return module


def _document(name: str, figures: dict[str, Figure]) -> dict[str, object]:
    return {
        "name": name,
        "machine": machine(),
        "figures": {key: figure.as_json() for key, figure in figures.items()},
    }


def _print_table(name: str, figures: dict[str, Figure]) -> None:
    here = machine()
    title = f"{name} on {here['processor']}, {here['cores']} cores"
    table = Table("figure", "value", "unit", "target", "met", "peers", "note", title=title)
    for key, figure in figures.items():
        peers = ", ".join(f"{peer} {_number(value)}" for peer, value in figure.peers.items())
        table.add_row(
            key,
            _number(figure.value),
            figure.unit,
            _target(figure),
            {True: "yes", False: "no", None: ""}[figure.met],
            peers,
            figure.note,
        )
    Console().print(table)


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    return f"{'>=' if figure.better == 'higher' else '<='} {_number(figure.target)}"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
