"""`python -m skerry.edge.router.train.evaluate --data DIR`: the test sets, once, and the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.errors import EdgeError
from skerry.edge.router import CLASSES, DEFAULT_WEIGHTS, Router
from skerry.edge.router.features import NAMES
from skerry.edge.router.train import dataset, sources
from skerry.edge.router.train.card import Report, card
from skerry.edge.router.train.metrics import (
    Encode,
    Prediction,
    auroc,
    confusion,
    precision_and_recall,
    predict,
    with_class,
)
from skerry.edge.types import RequestClass

EACH = 5_500  # all of CLINC150's test, and most of the longest set

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(help="Measure the router on its test sets; write its card and confusion plot.")
@click.option("--data", required=True, type=click.Path(path_type=Path), envvar="SKERRY_DATA")
@click.option("--weights", default=DEFAULT_WEIGHTS, type=_FILE, help="[default: the package's]")
@click.option("--card", "card_file", type=_FILE, help="Write the model card here.")
@click.option("--plot", type=_FILE, help="Write the confusion plot (PNG) here.")
def main(data: Path, weights: Path, card_file: Path | None, plot: Path | None) -> None:
    try:
        report = evaluate(data, Router.load(weights), OnnxEncoder.load(threads=2).encode)
    except EdgeError as error:
        raise click.ClickException(f"{error} {error.hint}") from None
    text = card(report, len(NAMES))
    click.echo(text)
    if card_file:
        card_file.write_text(text, encoding="utf-8")
    if plot:
        draw_confusion(report.confusion, plot)


def evaluate(data: Path, router: Router, encode: Encode) -> Report:
    """Every test set once."""
    sets = {
        name: predict(router, examples, encode)
        for name, examples in dataset.tests(data, EACH, seed=0).items()
    }
    counts = confusion(sets["held-out"])
    return Report(
        sets={name: with_class(predictions) for name, predictions in sets.items()},
        confusion=counts,
        classes=dict(zip(CLASSES, precision_and_recall(counts), strict=True)),
        oos_auroc=scope_auroc(sets["clinc150"]),
        own_oos_auroc=scope_auroc(sets["held-out"]),
        complexity_auroc=_attribute_auroc(sets),
        false_alarms=_false_alarms(router, sources.xstest_safe(data), encode),
    )


def scope_auroc(predictions: Sequence[Prediction]) -> float:
    """How well `in_scope` tells what is in scope from what is not."""
    known = [p for p in predictions if p.example.in_scope is not None]
    return auroc(
        [p.said.in_scope for p in known if p.example.in_scope],
        [p.said.in_scope for p in known if not p.example.in_scope],
    )


def _attribute_auroc(sets: Mapping[str, Sequence[Prediction]]) -> float:
    """How well `complexity` foretells that a smaller model fails a multiple-choice question."""
    return auroc(
        [p.said.complexity for p in sets["mmlu"] if p.example.complex],
        [p.said.complexity for p in sets["mmlu"] if not p.example.complex],
    )


def _false_alarms(router: Router, texts: Sequence[str], encode: Encode) -> float:
    """Share of harmless texts that are taken for emergencies."""
    vectors = encode(texts)
    said = [router.classify(v, text) for v, text in zip(vectors, texts, strict=True)]
    return sum(c.request_class is RequestClass.SAFETY for c in said) / len(said)


def draw_confusion(counts: NDArray[Any], path: Path) -> None:
    """Shares of each true class as a picture, with the counts in it."""
    from matplotlib.figure import Figure

    names = [name.replace("_", "\n") for name in CLASSES]
    shares = counts / counts.sum(axis=1, keepdims=True)
    figure = Figure(figsize=(7.5, 6.5), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("said by the router")
    axes.set_ylabel("true")
    axes.set_title("Held-out phrases, test half")
    for (row, column), count in ((i, n) for i, n in _cells(counts) if n):
        dark = shares[row, column] > 0.5
        colour = "white" if dark else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _cells(counts: NDArray[Any]) -> list[tuple[tuple[int, int], int]]:
    rows, columns = counts.shape
    return [((i, j), int(counts[i, j])) for i in range(rows) for j in range(columns)]


if __name__ == "__main__":
    main(prog_name="python -m skerry.edge.router.train.evaluate")
