"""`python -m skerry.guardrails.train.names --data DIR --out DIR`, with `--help` for more."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly
from skerry.guardrails.train.names.parts import Part

_STAGES = (
    (Part.TRAINING, 0.26, 1.0),
    (Part.WHOLE, 0.46, 0.5),
    (Part.WHOLE, 0.28, 0.5),
)
"""Of which part each stage is, its share of all texts, and of the rates of learning."""
_FURTHER = ((Part.TRAINING, 0.57, 0.6), (Part.WHOLE, 0.43, 0.4))
"""The stages of weights that were trained before."""


@click.command(help="Train the names classifier on planted names, and write it with its card.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for model, tokenizer and card.")
@click.option("--base", type=FOLDER, help="Go on from the weights in this folder.")
@SEED
@click.option("--texts", default=92_000, show_default=True, help="How many texts to train on.")
@plainly
def main(data: Path, out: Path, base: Path | None, seed: int, texts: int) -> None:
    train(data, out, seed, texts, base)


def train(data: Path, out: Path, seed: int, texts: int, base: Path | None = None) -> None:
    """Trains without the development part, for its errors; then goes on with all but the test.

    Each stage has texts of its own, its rates go up and down again, and its weights are written.
    """
    import torch
    from tokenizers import Tokenizer

    from skerry.guardrails.train.names import dataset, export, fit, network, restored

    torch.manual_seed(seed)
    names, tokenizer = restored.restored(base) if base else network.untrained()
    out.mkdir(parents=True, exist_ok=True)
    reader = Tokenizer.from_str(tokenizer)
    for number, (part, of_texts, of_rate) in enumerate(_FURTHER if base else _STAGES):
        planted = dataset.training(data, round(of_texts * texts), seed + number, part)
        rows = fit.rows(planted, reader)
        fit.fit(names, rows, seed + number, out / f"stage{number}.pt", share=of_rate)
        export.write(names, tokenizer, [one.text for one in planted[:200]], out)


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names")
