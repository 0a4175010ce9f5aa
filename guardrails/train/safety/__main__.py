"""`python -m skerry.guardrails.train.safety --data DIR --out DIR [--seed N] [--texts N]`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray

from skerry.guardrails.safety import CLASSES
from skerry.guardrails.safety.classifier import MANIFEST
from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly
from skerry.guardrails.train.safety import texts
from skerry.guardrails.train.wording import export, fit, sources
from skerry.guardrails.wording.table import WordTable, shared

NAME = "safety-cnn-3x64"
SLOPE = 0.7
MEMBERS = 3
"""Heads whose mean the head is: what one learns by chance the others do not."""
_SHARE = 0.0005
# misses of the first two cost most; the last has the words of many a question about medicine
_SHARES = {"self_harm": 0.003, "clinical_red_flag": 0.001, "dangerous_advice": 0.00015}
_TRIGGERS = 10  # times as many of our benign templates may reach a level


@click.command(help="Train the safety classes on texts of our own and public ones.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for head and manifest.")
@SEED
@click.option("--texts", "number", default=5000, show_default=True, help="Texts of each class.")
@click.option("--epochs", default=6, show_default=True)
@plainly
def main(data: Path, out: Path, seed: int, number: int, epochs: int) -> None:
    train(data, out, seed, number, epochs)


def train(data: Path, out: Path, seed: int, number: int, epochs: int) -> None:
    table = shared()
    fitted = [
        fit.fit(texts.examples(data, number, one), table, epochs=epochs, seed=one)
        for one in range(seed, seed + MEMBERS)
    ]
    arrays = export.together(fitted)
    manifest = {"name": NAME, "levels": levels(arrays, table, data, seed), "slope": SLOPE}
    export.write(arrays, manifest, out, MANIFEST)


def levels(
    arrays: dict[str, NDArray[Any]], table: WordTable, data: Path, seed: int
) -> dict[str, float]:
    """The logit of each class that counts, so that very few benign texts reach it."""
    made = export.network(arrays, table)
    benign = sources.development(data)
    asked = [
        one for name in ("clinc150", "banking77", "medquad", "wikipedia") for one in benign[name]
    ]
    plain = export.most(made, table, asked)
    triggers = export.most(made, table, texts.benign(4000, seed + 1))
    return {
        name: round(
            max(
                export.level(plain[:, at], _SHARES.get(name, _SHARE)),
                export.level(triggers[:, at], _TRIGGERS * _SHARES.get(name, _SHARE)),
            ),
            3,
        )
        for at, name in enumerate(CLASSES)
    }


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.safety")
