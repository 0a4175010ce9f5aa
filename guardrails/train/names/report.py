"""`python -m skerry.guardrails.train.names.report --data DIR`: tests the weights of the package,
and writes their card beside them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from skerry.guardrails.names.classifier import DEFAULT_FOLDER
from skerry.guardrails.screen import screen_whole
from skerry.guardrails.train.command import DATA, SEED, plainly
from skerry.guardrails.train.names.card import card
from skerry.guardrails.train.names.evaluate import figures

MESSAGE = (
    "Please ask Ada Lovelace, who was admitted on 3 March with chest pain and takes warfarin 3 mg, "
    "whether she can be seen at 14:30 on Monday in room 12; her phone is 020 7946 0958. Thanks, "
    "Priya from the ward, Leeds"
)
"""About 60 tokens."""


@click.command(help="Test the names classifier, and write its card.")
@DATA
@click.option("--texts", default=161_000, show_default=True, help="How many it went on with.")
@click.option("--number", default=2000, show_default=True, help="How many texts to test on.")
@SEED
@plainly
def main(data: Path, texts: int, number: int, seed: int) -> None:
    measured = figures(data, number, seed)
    size = (DEFAULT_FOLDER / "model.onnx").stat().st_size
    text = card(measured, texts=texts, number=number, size_bytes=size)
    (DEFAULT_FOLDER / "card.md").write_text(text, encoding="utf-8")
    for name, value in measured.items():
        click.echo(f"{name}: {value}")
    click.echo("screen_ms p50 {:.2f}, p99 {:.2f}".format(*screen_ms(MESSAGE)))


def screen_ms(text: str, runs: int = 400) -> tuple[float, float]:
    """Median and 99th percentile of the whole screen of `text`, in milliseconds."""
    for _ in range(20):
        screen_whole(text)
    times = sorted(_timed(text) for _ in range(runs))
    return _at(times, 0.5), _at(times, 0.99)


def _timed(text: str) -> float:
    start = time.perf_counter()
    screen_whole(text)
    return (time.perf_counter() - start) * 1e3


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names.report")
