"""`python -m skerry.guardrails.train.injection --data DIR --out DIR [--seed N] [--texts N]`"""

from __future__ import annotations

from pathlib import Path

import click

from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly


@click.command(help="Train the injection detector on texts of our own and public ones.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for heads and manifest.")
@SEED
@click.option("--texts", "number", default=20_000, show_default=True, help="Attacks to train on.")
@click.option("--epochs", default=5, show_default=True)
@plainly
def main(data: Path, out: Path, seed: int, number: int, epochs: int) -> None:
    train(data, out, seed, number, epochs)


def train(data: Path, out: Path, seed: int, number: int, epochs: int) -> None:
    from skerry.edge.encoder import OnnxEncoder
    from skerry.guardrails.train.injection import export, meaning, texts
    from skerry.guardrails.train.wording import fit
    from skerry.guardrails.wording.table import shared

    encode = OnnxEncoder.load().encode
    words = fit.fit(texts.examples(data, number, seed), shared(), epochs=epochs, seed=seed)
    said, labels = meaning.examples(data, int(number * 0.45), seed)
    vectors = meaning.fit(meaning.encoded(said, encode), labels, seed)
    export.write(words, vectors, out, data, encode, seed=seed)


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.injection")
