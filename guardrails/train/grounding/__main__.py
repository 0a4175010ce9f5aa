"""`python -m skerry.guardrails.train.grounding --data DIR --out DIR [--seed N]`"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from skerry.export.encoder.float32 import source_folder
from skerry.guardrails.train.command import DATA, FOLDER, SEED, plainly
from skerry.guardrails.train.grounding import dataset
from skerry.guardrails.train.grounding.pair import Pair
from skerry.guardrails.train.grounding.vocabulary import remembered

_NEVER = 2.0  # a probability that no window reaches: all are looked at


@click.command(help="Train the grounding checker on public sets and on pairs of our own making.")
@DATA
@click.option("--out", required=True, type=FOLDER, help="Folder for the files; keeps checkpoints.")
@click.option(
    "--start", type=click.Path(dir_okay=False, path_type=Path), help="Weights to go on from."
)
@click.option("--mix", default=0.0, help="Share of the weights of --start in the result.")
@click.option("--most", default=0, help="At most so many batches.")
@SEED
@plainly
def main(data: Path, out: Path, start: Path | None, **how: Any) -> None:
    train(data, out, start, **how)


def train(data: Path, out: Path, start: Path | None, *, mix: float, most: int, seed: int) -> None:
    """Trains, and writes the files that a device loads into `out`."""
    from tokenizers import Tokenizer

    from skerry.guardrails.train.grounding.batches import example
    from skerry.guardrails.train.grounding.export import write
    from skerry.guardrails.train.grounding.fit import fit, mixed, new_model

    pairs = dataset.training(data, seed)
    dev = dataset.development(data, seed)
    out.mkdir(parents=True, exist_ok=True)
    texts = [text for pair in pairs for text in (pair.claim, pair.evidence)]
    document, kept = remembered(out, source_folder() / "tokenizer.json", texts)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    special = [tokenizer.token_to_id(name) or 0 for name in ("[CLS]", "[SEP]")]
    click.echo(f"{len(pairs)} pairs, {len(kept)} pieces")
    model = fit(
        new_model(kept, special, seed, start),
        [example(tokenizer, pair) for pair in pairs],
        {name: [example(tokenizer, pair) for pair in some] for name, some in dev.items()},
        seed=seed,
        folder=out,
        most=most,
    )
    if start is not None:
        model = mixed(model, start, mix)
    calibration = [pair for some in dev.values() for pair in some[:40]]
    write(model, tokenizer, calibration, [p for some in dev.values() for p in some], out)
    set_threshold(out, dev)


def set_threshold(out: Path, dev: Mapping[str, Sequence[Pair]]) -> None:
    """Writes the threshold that does best on the pairs to choose by into the manifest."""
    from skerry.guardrails.grounding import GroundingChecker
    from skerry.guardrails.grounding.model import MANIFEST, CrossEncoder
    from skerry.guardrails.train.grounding.measure import best_threshold, figures, verdicts
    from skerry.guardrails.weights import write_manifest

    every_window = replace(CrossEncoder.load(out), threshold=_NEVER)
    checker = GroundingChecker(every_window)
    found = {name: verdicts(checker, some) for name, some in dev.items()}
    threshold = best_threshold(list(found.values()))
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    write_manifest(out / MANIFEST, {**manifest, "threshold": threshold})
    for name, some in found.items():
        click.echo(f"{name}: balanced accuracy {figures(some, threshold).alone:.3f}")
    click.echo(f"threshold {threshold}")


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.grounding")
