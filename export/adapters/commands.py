"""The commands of adapters. Nothing heavy is imported before one is called."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, get_args

import click

from skerry.export.adapters.gguf_adapter import Precision
from skerry.export.adapters.pairs import Method
from skerry.export.adapters.recipe import RATES, TARGETS, Recipe
from skerry.export.errors import ExportError
from skerry.export.exporter import Progress, unheard

P = ParamSpec("P")
_PATH = click.Path(path_type=Path)
_HERE = click.Path(exists=True, path_type=Path)


def plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Says an error in one line, and what to do next."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ExportError as error:
            hint = f"\n  {error.hint}" if error.hint else ""
            raise click.ClickException(f"{error.what}{hint}") from None

    return run


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on a terminal; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield unheard
        return
    with click.progressbar(
        length=1000, file=sys.stderr, item_show_func=lambda what: what or ""
    ) as bar:

        def tell(what: str, done: float) -> None:
            bar.update(round(1000 * done) - bar.pos, what)

        yield tell


@click.command()
@click.option("--source", type=_HERE, required=True, help="A GGUF file or a Hugging Face folder.")
@click.option("--examples", type=_HERE, required=True, help="Chats to learn, as JSON lines.")
@click.option("--out", type=_PATH, required=True, help="The adapter's folder, to be made.")
@click.option("--method", type=click.Choice([str(one) for one in Method]), default="lora",
              show_default=True)  # fmt: skip
@click.option("--rank", type=click.IntRange(1, 4096), default=16, show_default=True)
@click.option("--alpha", type=float, show_default="twice the rank")
@click.option("--targets", default=",".join(TARGETS), show_default=True,
              help="Matrices of each layer.")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True,
              help="Examples in a step.")  # fmt: skip
@click.option("--learning-rate", type=float, show_default="by method")
@click.option("--most-tokens", type=click.IntRange(1), default=1024, show_default=True,
              help="Of an example.")  # fmt: skip
@click.option("--held-out", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.1,
              show_default=True, help="Share that is measured and not learnt.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Fixes every random draw.")
@click.option("--four-bit", is_flag=True, help="QLoRA: the base in four bits, on a GPU.")
@click.option("--licence", help="Of the adapter.", show_default="the source's")
@click.option("--json", "as_json", is_flag=True, help="Print the adapter's card.")
@plainly
def finetune(
    source: Path, examples: Path, out: Path, method: str, rank: int, alpha: float | None,
    targets: str, epochs: int, batch: int, learning_rate: float | None, most_tokens: int,
    held_out: float, seed: int, four_bit: bool, licence: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Trains an adapter on chats; goes on where it was stopped."""
    from skerry.export.adapters.finetune import finetune as train

    kind = Method(method)
    try:
        recipe = Recipe(
            kind, rank, alpha or 2.0 * rank, tuple(targets.split(",")), epochs, batch,
            learning_rate or RATES[kind], most_tokens=most_tokens, held_out=held_out, seed=seed,
            four_bit=four_bit,
        )  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with shown_progress() as progress:
        made = train(source, examples, out, recipe, licence=licence, progress=progress)
    click.echo(json.dumps(made) if as_json else _said(made, out))


def _said(made: dict[str, Any], out: Path) -> str:
    before, after = made["held_out"]["before"], made["held_out"]["after"]
    return (
        f"{out}: {made['method']} of rank {made['rank']}; on {made['data']['held_out']} chats held "
        f"out, {before['exact']:.0%} were answered exactly before and {after['exact']:.0%} after "
        f"({before['loss_nats']:.3f} and {after['loss_nats']:.3f} nats per token)"
    )


@click.command()
@click.argument("adapter", type=_HERE)
@click.option("--source", type=_HERE, required=True, help="The model that it was trained on.")
@click.option("--out", type=_PATH, required=True, help="X.gguf; with --merge, a folder.")
@click.option("--merge", is_flag=True, help="Put it into the model's weights.")
@click.option("--precision", type=click.Choice(get_args(Precision)), default="f32",
              show_default=True, help="Of a GGUF adapter.")  # fmt: skip
@plainly
def lora(adapter: Path, source: Path, out: Path, merge: bool, precision: Precision) -> None:
    """Makes a GGUF adapter of a PEFT one, or merges it into its model."""
    from skerry.export.adapters.export import export_lora, export_merged

    if merge:
        with shown_progress() as progress:
            read = export_merged(adapter, source, out, progress=progress)
    else:
        read = export_lora(adapter, source, out, precision=precision)
    click.echo(f"{out}: {read.method} of {len(read.pairs)} matrices")


@click.command()
@click.option("--out", type=_PATH, required=True, help="A file of JSON lines, to be made.")
@click.option("--examples", type=click.IntRange(2), default=400, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@plainly
def task(out: Path, examples: int, seed: int) -> None:
    """Writes examples of a small task to try an adapter on."""
    from skerry.export.adapters.task import write_task

    write_task(out, examples=examples, seed=seed)
    click.echo(f"{out}: {examples} chats")
