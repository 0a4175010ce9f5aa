"""`skerry export finetune` and `lora`: adapters are trained, and made into what a runtime loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.bars import tools_bar
from skerry.edge.cli.completion import model_names
from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.edge.settings import Settings
    from skerry.export.adapters.peft_folder import Adapter
    from skerry.export.adapters.recipe import Recipe
    from skerry.export.exporter import Progress

FINETUNE, LORA = "skerry.export.finetune/1", "skerry.export.lora/1"
_METHODS = ("lora", "rslora", "dora", "vera")


@click.command()
@option("--source", metavar="MODEL", required=True, shell_complete=model_names,
        help="A model's name, a GGUF file, or a Hugging Face folder.")  # fmt: skip
@option("--examples", type=GivenPath(), required=True, help="Chats to learn, as JSON lines.")
@option("--out", type=GivenPath(), required=True, help="The adapter's folder, to be made.")
@option("--method", type=click.Choice(_METHODS), default="lora", show_default=True,
        help="How a matrix is changed.")  # fmt: skip
@option("--rank", type=int, default=16, show_default=True, help="Of the change to a matrix.")
@option("--alpha", type=float, show_default="twice the rank", help="Over the rank: the scale.")
@option("--targets", metavar="NAMES", show_default="all of a layer", help="Matrices to adapt.")
@option("--epochs", type=int, default=3, show_default=True, help="How often each is seen.")
@option("--batch", type=int, default=8, show_default=True, help="Examples in a step.")
@option("--learning-rate", type=float, show_default="by method", help="The highest.")
@option("--most-tokens", type=int, default=1024, show_default=True, help="Of an example.")
@option("--held-out", type=float, default=0.1, show_default=True,
        help="Share that is measured and not learnt.")  # fmt: skip
@option("--seed", type=int, default=0, show_default=True, help="Fixes every random draw.")
@option("--four-bit", is_flag=True, help="QLoRA: the base in four bits, on a GPU.")
@option("--licence", metavar="NAME", show_default="the source's", help="Of the adapter.")
@settings("models_dir")
@json_option
def finetune(source: str, examples: Path, out: Path, as_json: bool, **given: Any) -> None:
    """Train an adapter on chats; run again after it was stopped, and it goes on.

    \b
    skerry export finetune --source smollm2 --examples chats.jsonl --out notes/
    skerry export lora notes/ --source smollm2 --out notes.gguf
    """
    from skerry.export.adapters.finetune import finetune as train

    recipe, licence = _recipe(given), given.pop("licence")
    model = _model(source, make_settings(given))
    with tools_bar(quiet=as_json) as progress:
        card = train(model, examples, out, recipe, licence=licence, progress=progress)
    if as_json:
        emit(FINETUNE, {"folder": str(out), "card": card})
    else:
        click.echo(said(card, out))


@click.command()
@click.argument("adapter", type=GivenPath())
@option("--source", metavar="MODEL", required=True, shell_complete=model_names,
        help="The model that it was trained on.")  # fmt: skip
@option("--out", type=GivenPath(), required=True, help="X.gguf; with --merge a folder, too.")
@option("--merge", is_flag=True, help="Put it into the model's weights.")
@option("--precision", metavar="NAME", show_default="f32; of a merged model f16",
        help="f32 or f16; a merged GGUF model may be of any type, such as q8_0.")  # fmt: skip
@settings("models_dir")
@json_option
def lora(
    adapter: Path, source: str, out: Path, as_json: bool, merge: bool, precision: str | None,
    **given: Any,
) -> None:  # fmt: skip
    """Make a GGUF adapter of the PEFT folder ADAPTER, or merge it into its model.

    \b
    skerry export lora notes/ --source smollm2 --out notes.gguf
    skerry export lora notes/ --source smollm2 --merge --out merged.gguf --precision q8_0
    skerry export lora notes/ --source ./model/ --merge --out merged/
    """
    model = _model(source, make_settings(given))
    form = "adapter" if not merge else "model" if out.suffix == ".gguf" else "folder"
    _check_precision(form, precision)
    with tools_bar(quiet=as_json) as progress:
        read = _made(form, adapter, model, out, precision, progress)
    size = sum(file.stat().st_size for file in (out.iterdir() if form == "folder" else (out,)))
    fields = {"out": str(out), "form": form, "method": str(read.method),
              "matrices": len(read.pairs), "size": size}  # fmt: skip
    if as_json:
        emit(LORA, fields)
    else:
        click.echo(f"{out}: {read.method} of {len(read.pairs)} matrices, {size / 1e6:,.1f} MB")


def _check_precision(form: str, precision: str | None) -> None:
    if form == "folder" and precision is not None:
        raise click.UsageError("a folder keeps its source's precision; give --out X.gguf")
    if form == "adapter" and precision not in {None, "f32", "f16"}:
        raise click.UsageError("an adapter is of f32 or f16; with --merge a model may be of others")


def _made(
    form: str, adapter: Path, model: Path, out: Path, precision: Any, progress: Progress
) -> Adapter:
    from skerry.export.adapters import export

    if form == "adapter":
        return export.export_lora(adapter, model, out, precision=precision or "f32")
    if form == "folder":
        return export.export_merged(adapter, model, out, progress=progress)
    return export.export_merged_gguf(
        adapter, model, out, precision=precision or "f16", progress=progress
    )


def said(card: dict[str, Any], out: Path) -> str:
    """What a person wants to know of a training."""
    before, after = card["held_out"]["before"], card["held_out"]["after"]
    return (
        f"{out}: {card['method']} of rank {card['rank']}. Of {card['data']['held_out']} chats held "
        f"out, {before['exact']:.0%} were answered exactly before, {after['exact']:.0%} after "
        f"({before['loss_nats']:.3f} and {after['loss_nats']:.3f} nats per token)."
    )


def _recipe(given: dict[str, Any]) -> Recipe:
    """The recipe of the options, which are taken out of `given`."""
    from skerry.export.adapters.pairs import Method
    from skerry.export.adapters.recipe import RATES, TARGETS, Recipe

    method, rank = Method(given.pop("method")), given.pop("rank")
    targets = [one.strip() for one in (given.pop("targets") or "").split(",") if one.strip()]
    alpha, rate = given.pop("alpha"), given.pop("learning_rate")
    names = ("epochs", "batch", "most_tokens", "held_out", "seed", "four_bit")
    rest = {name: given.pop(name) for name in names}
    try:
        return Recipe(
            method=method, rank=rank, alpha=2.0 * rank if alpha is None else alpha,
            targets=tuple(targets) or TARGETS,
            learning_rate=RATES[method] if rate is None else rate, **rest,
        )  # fmt: skip
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _model(wanted: str, settings: Settings) -> Path:
    from skerry.edge.cli.export_source import find_subject

    return find_subject(wanted, settings).path
