"""`python -m skerry.guardrails.train.names --data DIR --out DIR [--seed N] [--texts N]`"""

from __future__ import annotations

from pathlib import Path

import click

from skerry.guardrails.errors import GuardrailError

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(help="Train the names classifier on planted names, and write it with its card.")
@click.option("--data", required=True, type=_FOLDER, envvar="SKERRY_DATA", show_envvar=True)
@click.option("--out", required=True, type=_FOLDER, help="Folder for model, tokenizer and card.")
@click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")
@click.option("--texts", default=45_000, show_default=True, help="How many texts to train on.")
def main(data: Path, out: Path, seed: int, texts: int) -> None:
    try:
        train(data, out, seed, texts)
    except GuardrailError as error:
        raise click.ClickException(f"{error} {error.hint}") from None


def train(data: Path, out: Path, seed: int, texts: int) -> None:
    import torch
    from tokenizers import Tokenizer

    from skerry.guardrails.train.names import dataset, export, fit, network

    torch.manual_seed(seed)
    names, tokenizer = network.untrained()
    planted = dataset.training(data, texts, seed)
    out.mkdir(parents=True, exist_ok=True)
    rows = fit.rows(planted, Tokenizer.from_str(tokenizer))
    fit.fit(names, rows, epochs=1, seed=seed, checkpoint=out / "checkpoint.pt")
    export.write(names, tokenizer, [one.text for one in planted[:200]], out)


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.names")
