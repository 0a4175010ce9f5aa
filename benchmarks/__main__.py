"""`python -m benchmarks list` and `python -m benchmarks run NAME [--quick] [--json]`."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.contract import Benchmark, DataMissing, Figure, Options, machine

NAMES = ("device", "search", "retrieval", "router", "server", "guardrails")


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
def run(name: str, quick: bool, as_json: bool, seed: int, data: Path | None) -> None:
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
