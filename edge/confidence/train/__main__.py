"""Asks the questions, judges the answers, fits the weights, and writes them with their card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from skerry.edge.confidence.model import QUOTATION, QUOTED, WEIGHTS
from skerry.edge.confidence.train import sets
from skerry.edge.confidence.train.asking import Asked, Example, answer, ask, quote
from skerry.edge.confidence.train.drafts import RememberedDrafts, open_drafts
from skerry.edge.confidence.train.fit import fit
from skerry.edge.confidence.train.report import card, quoted_card
from skerry.edge.encoder import OnnxEncoder
from skerry.edge.engines.models import DEFAULT_MODEL, catalogue


@click.command(help=__doc__)
@click.option(
    "--data",
    required=True,
    envvar="SKERRY_DATA",
    show_envvar=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of public data sets.",
)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="A GGUF file to fit for.")
@click.option(
    "--drafts",
    default="build/confidence/drafts.db",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where drafts are kept, so that a stopped run goes on.",
)
@click.option(
    "--out",
    default=WEIGHTS,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of weights to write; the card goes beside it.",
)
@click.option("--threads", default=2, show_default=True)
@click.option("--limit-s", default=3600.0, show_default=True, help="Most seconds of generation.")
@click.option("--seed", default=0, show_default=True, help="Fixes the folds.")
def main(  # noqa: PLR0917
    data: Path, model: str, drafts: Path, out: Path, threads: int, limit_s: float, seed: int
) -> None:
    questions = sets.load(data)
    encoder = OnnxEncoder.load(threads=threads)
    train = [ask(one, encoder) for one in questions.train]
    held_out = [ask(one, encoder) for one in questions.held_out]
    path = catalogue(Path()).find(model).path
    with open_drafts(path, drafts, threads=threads) as remembered:
        _make([*train, *held_out], remembered, limit_s)
        trained = _answers(train, remembered)
        unseen = _answers(held_out, remembered)
        fitted = fit(trained, remembered.info.name, remembered.info.digest, seed)
    quoted = [example for part in train for example in quote(part)]
    of_quotations = fit(quoted, QUOTATION, "", seed)
    fitted.save(out)
    of_quotations.save(out.with_name(QUOTED.name))
    text = card(fitted, len(trained), unseen, seed)
    text += quoted_card(
        of_quotations, len(quoted), [one for part in held_out for one in quote(part)]
    )
    out.with_name("card.md").write_text(text, encoding="utf-8")
    click.echo(text)


def _make(parts: Sequence[Sequence[Asked]], drafts: RememberedDrafts, limit_s: float) -> None:
    asked = [one for one in sets.interleaved(parts) if one.work.prompt.sources]
    works = [one.work for one in asked]
    with click.progressbar(length=len(works), label="drafts") as bar:
        for _ in drafts.make(works, limit_s=limit_s):
            bar.update(1)


def _answers(parts: Sequence[Sequence[Asked]], drafts: RememberedDrafts) -> list[Example]:
    return [example for part in parts for example in answer(part, drafts)]


if __name__ == "__main__":
    main(prog_name="python -m skerry.edge.confidence.train")
