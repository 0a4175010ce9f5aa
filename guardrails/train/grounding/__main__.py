"""`python -m skerry.guardrails.train.grounding --data DIR --out DIR [--seed N]`"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from skerry.export.encoder.float32 import source_folder
from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.train.grounding import dataset
from skerry.guardrails.train.grounding.pair import Pair
from skerry.guardrails.train.grounding.vocabulary import remembered

FIRST_PART = 440  # batches, some 16,000 pairs
_NEVER = 2.0  # a probability that no window reaches: all are looked at
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(help="Train the grounding checker on public sets and on pairs of our own making.")
@click.option("--data", required=True, type=_FOLDER, envvar="SKERRY_DATA", show_envvar=True)
@click.option("--out", required=True, type=_FOLDER, help="Folder for the files; keeps checkpoints.")
@click.option("--limit", default=0, help="So many pairs of each part only, to try the recipe.")
@click.option("--seed", default=0, show_default=True, help="Fixes every random draw.")
def main(data: Path, out: Path, limit: int, seed: int) -> None:
    try:
        train(data, out, limit, seed)
    except GuardrailError as error:
        raise click.ClickException(f"{error} {error.hint}") from None


def train(data: Path, out: Path, limit: int, seed: int) -> None:
    from tokenizers import Tokenizer

    from skerry.guardrails.train.grounding.export import write
    from skerry.guardrails.train.grounding.fit import example, fit, new_model

    pairs, dev = dataset.training(data, seed), dataset.development(data, seed)
    parts = [some[: limit or None] for some in (pairs, dataset.binding(data, seed))]
    out.mkdir(parents=True, exist_ok=True)
    texts = [text for pair in parts[0] for text in (pair.claim, pair.evidence)]
    document, kept = remembered(out, source_folder() / "tokenizer.json", texts)
    tokenizer = Tokenizer.from_str(json.dumps(document))
    special = [tokenizer.token_to_id(name) or 0 for name in ("[CLS]", "[SEP]")]
    click.echo(f"{[len(some) for some in parts]} pairs, {len(kept)} pieces")
    model = new_model(kept, special, seed)
    model = fit(
        model,
        [
            ([example(tokenizer, pair) for pair in some], most)
            for some, most in zip(parts, (FIRST_PART, 0), strict=True)
        ],
        {name: [example(tokenizer, pair) for pair in some] for name, some in dev.items()},
        seed=seed,
        folder=out,
    )
    calibration = [pair for some in dev.values() for pair in some[:40]]
    write(model, tokenizer, calibration, [p for some in dev.values() for p in some], out)
    set_threshold(out, dev)


def set_threshold(out: Path, dev: Mapping[str, Sequence[Pair]]) -> None:
    """Writes the threshold that does best on the pairs to choose by into the manifest."""
    from skerry.guardrails.grounding import GroundingChecker
    from skerry.guardrails.grounding.model import MANIFEST, CrossEncoder
    from skerry.guardrails.train.grounding.measure import best_threshold, figures, verdicts

    every_window = replace(CrossEncoder.load(out), threshold=_NEVER)
    checker = GroundingChecker(every_window)
    found = {name: verdicts(checker, some) for name, some in dev.items()}
    threshold = best_threshold(list(found.values()))
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    manifest["threshold"] = threshold
    (out / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    for name, some in found.items():
        click.echo(f"{name}: balanced accuracy {figures(some, threshold).alone:.3f}")
    click.echo(f"threshold {threshold}")


if __name__ == "__main__":
    main(prog_name="python -m skerry.guardrails.train.grounding")
