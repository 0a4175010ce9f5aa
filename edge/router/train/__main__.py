"""`python -m skerry.edge.router.train --data DIR --out DIR [--seed N]`"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from skerry.edge.encoder import OnnxEncoder
from skerry.edge.errors import EdgeError
from skerry.edge.router import Router
from skerry.edge.router.train import dataset
from skerry.edge.router.train.fit import fit
from skerry.edge.router.train.metrics import accuracy, predict, with_class

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(help="Train the router's heads on our own phrases and public data.")
@click.option("--data", required=True, type=_FOLDER, envvar="SKERRY_DATA", show_envvar=True)
@click.option("--out", required=True, type=_FOLDER, help="Folder for router.npz.")
@click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")
def main(data: Path, out: Path, seed: int) -> None:
    try:
        train(data, out, seed)
    except EdgeError as error:
        raise click.ClickException(f"{error} {error.hint}") from None


def train(data: Path, out: Path, seed: int) -> None:
    encoder = OnnxEncoder.load(threads=2)
    training, development = dataset.training(data, seed), dataset.development(data)
    click.echo(f"{len(training)} examples to train on, {len(development)} to calibrate on")
    arrays = fit(training, development, encoder.encode, seed)
    arrays["encoder"] = np.array(encoder.id)
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "router.npz", allow_pickle=False, **arrays)
    router = Router.load(out / "router.npz")
    seen = with_class(predict(router, development, encoder.encode))
    click.echo(f"accuracy on development examples {accuracy(seen):.3f}")


if __name__ == "__main__":
    main(prog_name="python -m skerry.edge.router.train")
