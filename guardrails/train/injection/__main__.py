"""`python -m skerry.guardrails.train.injection --data DIR --out DIR [--seed N] [--texts N]`"""

from __future__ import annotations

from pathlib import Path

import click

from skerry.guardrails.errors import GuardrailError

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(help="Train the injection detector on texts of our own and public ones.")
@click.option("--data", required=True, type=_FOLDER, envvar="SKERRY_DATA", show_envvar=True)
@click.option("--out", required=True, type=_FOLDER, help="Folder for heads and manifest.")
@click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")
@click.option("--texts", "number", default=20_000, show_default=True, help="Attacks to train on.")
@click.option("--epochs", default=5, show_default=True)
def main(data: Path, out: Path, seed: int, number: int, epochs: int) -> None:
    try:
        train(data, out, seed, number, epochs)
    except GuardrailError as error:
        raise click.ClickException(f"{error} {error.hint}") from None


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
