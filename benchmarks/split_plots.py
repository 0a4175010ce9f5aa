"""`python -m benchmarks.split_plots FOLDER [--json FILE] [--quick]`: runs the benchmark of split
inference once, draws what it measured into FOLDER, and writes its figures to FILE."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.contract import Options, machine
from benchmarks.split_cases import FAMILIES
from benchmarks.split_cloud import Far
from benchmarks.split_device import PRODUCT, Measured
from benchmarks.split_grid import HINTS, PIPELINED, PLAIN, THRIFT, Grid, sync
from benchmarks.split_theory import passes_per_token

_COLOURS = {HINTS: "#0b6e75", PIPELINED: "#c2410c", PLAIN: "#6b7780", "synchronous": "#b08900"}
_BEST = "synchronous, best k"
_SPAN = 3.0
"""Speed-ups from a third to this have colours of their own."""
_FAMILY_NAMES = {"grounded_qa": "grounded QA"}


@click.command(help=__doc__)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--json", "figures", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--quick", is_flag=True, help="Under a minute: smaller.")
@click.option("--seed", default=0, show_default=True)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), envvar="SKERRY_DATA")
def main(folder: Path, figures: Path | None, quick: bool, seed: int, data: Path | None) -> None:
    from benchmarks.split import whole

    result = whole(Options(quick=quick, seed=seed, data=data))
    folder.mkdir(parents=True, exist_ok=True)
    for file in draw(result.grid, folder):
        click.echo(file)
    if figures is not None:
        values = {name: figure.as_json() for name, figure in result.figures.items()}
        document = {"name": "split", "machine": machine(), "figures": values}
        figures.write_text(json.dumps(document) + "\n", encoding="utf-8")


def draw(grid: Grid, folder: Path) -> list[Path]:
    """Writes the pictures as PNG; returns their paths."""
    drawn = {"speedup": _speedups, "passes": _passes, "timeline": _timeline}
    files = []
    for name, make in drawn.items():
        files.append(folder / f"split-{name}.png")
        make(grid).savefig(files[-1], dpi=110)
    return files


def _picture(width: float, height: float) -> Any:
    from matplotlib.figure import Figure as Picture

    return Picture(figsize=(width, height), layout="constrained")


def _speedups(grid: Grid) -> Any:
    """A map of round trips and passes for each family and protocol."""
    columns = (HINTS, PIPELINED, _BEST)
    picture = _picture(9.6, 2.1 * len(FAMILIES) + 0.6)
    panels = picture.subplots(len(FAMILIES), len(columns), squeeze=False, sharex=True, sharey=True)
    for row, family in zip(panels, FAMILIES, strict=True):
        for panel, protocol in zip(row, columns, strict=True):
            _heat_map(panel, grid, family, protocol)
        row[0].set_ylabel(f"{_FAMILY_NAMES.get(family, family)}\npass [ms]", fontsize=9)
    for panel, protocol in zip(panels[0], columns, strict=True):
        panel.set_title(protocol, fontsize=10)
    for panel in panels[-1]:
        panel.set_xlabel("round trip [ms]", fontsize=9)
    picture.suptitle("times as fast as plain streaming by the same cloud", fontsize=11)
    return picture


def _heat_map(panel: Any, grid: Grid, family: str, protocol: str) -> None:
    from matplotlib.colors import LogNorm

    rtts, passes = grid.plan.rtts, grid.plan.passes
    values = [[_speedup(grid, (rtt, pace), family, protocol) for rtt in rtts] for pace in passes]
    panel.imshow(values, cmap="BrBG", norm=LogNorm(1 / _SPAN, _SPAN), aspect="auto")
    panel.set_xticks(range(len(rtts)), [f"{rtt:g}" for rtt in rtts], fontsize=8)
    panel.set_yticks(range(len(passes)), [f"{pace:g}" for pace in passes], fontsize=8)
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            strong = not 1 / 2 < value < 2
            colour = "white" if strong else "black"
            panel.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)


def _speedup(grid: Grid, far: Far, family: str, protocol: str) -> float:
    if protocol == _BEST:
        return grid.best_sync(far, family)
    return grid.speedup(far, family, protocol)


def _passes(grid: Grid) -> Any:
    """What an answer took of the target, by how often the device guessed right."""
    picture = _picture(6.4, 4.2)
    panel = picture.subplots()
    shares = [i / 100 for i in range(100)]
    for depth, style in ((PRODUCT.depth, "-"), (4, "--")):
        expected = [passes_per_token(share, depth) for share in shares]
        panel.plot(shares, expected, style, color="#444444", label=f"theory, {depth} drafts")
    far = grid.plan.thrift_at
    for protocol, marker in ((HINTS, "o"), (THRIFT, "^")):
        name = "hints, latency mode" if protocol == HINTS else "hints, thrift mode"
        panel.scatter(*_dots(grid, far, protocol), marker=marker, s=28, label=name)
    panel.set_xlabel("share of tokens that were guessed right")
    panel.set_ylabel("forward passes of the target a token")
    panel.set_ylim(0, 1.05)
    panel.set_title(f"round trip {far[0]:g} ms, pass {far[1]:g} ms", fontsize=10)
    panel.legend(frameon=False, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    return picture


def _dots(grid: Grid, far: Far, protocol: str) -> tuple[list[float], list[float]]:
    answers = [grid.answers[far, i, protocol] for i in range(len(grid.cases))]
    acceptances = [case.guesses.acceptance for case in grid.cases]
    return acceptances, [one.passes / len(one.tokens) for one in answers]


def _timeline(grid: Grid) -> Any:
    """One answer: when its tokens came, by each protocol."""
    picture = _picture(7.2, 4.2)
    panel = picture.subplots()
    far, number = grid.plan.thrift_at, _typical(grid)
    best = min(map(sync, grid.plan.sync), key=lambda one: grid.answers[far, number, one].took_s)
    for protocol in (HINTS, PIPELINED, PLAIN, best):
        times, counts = _steps(grid.answers[far, number, protocol])
        colour = _COLOURS.get(protocol, _COLOURS["synchronous"])
        panel.step(times, counts, where="post", color=colour, label=protocol)
        panel.plot(times[1:], counts[1:], ".", color=colour, markersize=3)
    family = grid.cases[number].family
    panel.set_title(
        f"one answer ({_FAMILY_NAMES.get(family, family)}): round trip {far[0]:g} ms, pass "
        f"{far[1]:g} ms; a dot is a pass of the target",
        fontsize=10,
    )
    panel.set_xlabel("seconds since connecting")
    panel.set_ylabel("tokens")
    panel.legend(frameon=False, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    return picture


def _typical(grid: Grid) -> int:
    """The case whose acceptance is nearest to the mean."""
    acceptances = [case.guesses.acceptance for case in grid.cases]
    middle = mean(acceptances)
    return min(range(len(acceptances)), key=lambda i: abs(acceptances[i] - middle))


def _steps(one: Measured) -> tuple[Sequence[float], Sequence[int]]:
    times, counts = [0.0], [0]
    for at, count in one.frames:
        times.append(at)
        counts.append(counts[-1] + count)
    return times, counts


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.split_plots")
