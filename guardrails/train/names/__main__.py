"""`python -m skerry.guardrails.train.names --data DIR --out DIR [--seed N] [--texts N]`"""

from __future__ import annotations

from pathlib import Path

import click

from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly
from skerry.guardrails.train.names.compose import Labelled
from skerry.guardrails.train.names.parts import Part

_STAGES = (
    (Part.TRAINING, 0.26, 1.0),
    (Part.WHOLE, 0.46, 0.5),
    (Part.WHOLE, 0.28, 0.5),
)
"""Of which part each stage is, its share of all texts, and of the rates of learning."""


@click.command(help="Train the names classifier on planted names, and write it with its card.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for model, tokenizer and card.")
@SEED
@click.option("--texts", default=92_000, show_default=True, help="How many texts to train on.")
@plainly
def main(data: Path, out: Path, seed: int, texts: int) -> None:
    train(data, out, seed, texts)


def train(data: Path, out: Path, seed: int, texts: int) -> None:
    """Trains without the development part, for its errors; then goes on with all but the test.

    Each stage has texts of its own, and its rates go up and down again.
    """
    import torch
    from tokenizers import Tokenizer

    from skerry.guardrails.train.names import dataset, export, fit, network

    torch.manual_seed(seed)
    names, tokenizer = network.untrained()
    out.mkdir(parents=True, exist_ok=True)
    reader = Tokenizer.from_str(tokenizer)
    planted: list[Labelled] = []
    for number, (part, of_texts, of_rate) in enumerate(_STAGES):
        planted = dataset.training(data, round(of_texts * texts), seed + number, part)
        rows = fit.rows(planted, reader)
        fit.fit(names, rows, seed + number, out / f"stage{number}.pt", share=of_rate)
    export.write(names, tokenizer, [one.text for one in planted[:200]], out)


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names")
