"""`skerry export build`: makes what the plan says, measures it, and packs a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.completion import model_names
from skerry.edge.cli.options import json_option, option, settings
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skerry.bundles import Variant
    from skerry.export.building import Built, Measuring, Order
    from skerry.export.planning import Plan

SCHEMA = "skerry.export.build/1"
_QUICK_ITEMS = 4


@click.command(options_metavar="--out FOLDER [OPTIONS]")
@click.argument("model", shell_complete=model_names)
@option("--out", type=GivenPath(), required=True, help="Folder of the bundle, which is made.")
@option("--profile", "--profiles", "profiles", metavar="NAME", multiple=True,
        help="Device profile; several, or all of them by default.")  # fmt: skip
@option("--format", "formats", metavar="FORMAT", multiple=True, help="Only this format; several.")
@option("--precision", "precisions", metavar="NAME", multiple=True,
        help="This precision, whatever suits; several.")  # fmt: skip
@option("--encoder", type=GivenPath(), help="Export this encoder, too: a Hugging Face folder.")
@option("--router", type=GivenPath(), help="Router that was trained on that encoder (.npz).")
@option("--draft", metavar="FILE",
        help="Draft model for split inference, too: GGUF, or `built-in`.")  # fmt: skip
@option("--adapter", "adapters", type=GivenPath(), multiple=True,
        help="LoRA adapter as GGUF, called by its file's name; several.")  # fmt: skip
@option("--measure", type=click.Choice(["full", "quick", "none"]), default="full",
        help="What to measure of each variant.", show_default=True)  # fmt: skip
@option("--name", help="Name of the bundle; default: the model's.")
@option("--cache", type=GivenPath(), help="Folder where variants are kept between builds.")
@option("--replace", is_flag=True, help="Put it in the place of a bundle that is at FOLDER.")
@settings("models_dir", "profiles_dir", "policy")
@json_option
def build(
    model: str,
    out: Path,
    profiles: tuple[str, ...],
    formats: tuple[str, ...],
    precisions: tuple[str, ...],
    encoder: Path | None,
    router: Path | None,
    draft: str | None,
    adapters: tuple[Path, ...],
    measure: str,
    name: str | None,
    cache: Path | None,
    replace: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Export, measure and pack what `skerry export plan` says, as the bundle at FOLDER.

    Stopped at any point, the same command goes on where it was; done, it does nothing again.

    \b
    skerry export build smollm2 --profile phone-mid --profile workstation --out bundle/
    """
    from skerry.edge.cli.bars import tools_bar
    from skerry.edge.cli.export_parts import Own, shipped_parts
    from skerry.edge.cli.export_plan import find_plan, without_settings
    from skerry.export.building import build as make

    plans = [find_plan(model, profiles, formats, precisions, without_settings(given, "policy"))]
    if encoder is not None:
        plans.append(find_plan(str(encoder), profiles, (), (), without_settings(given, "policy")))
    own = Own(given.get("policy"), encoder is None, router, draft, adapters)
    parts = shipped_parts(plans[0].subject, own)
    orders = [_order(plan) for plan in plans]
    with tools_bar(quiet=as_json) as progress:
        built = make(
            orders,
            out,
            cache=_cache(cache),
            parts=parts,
            measuring=_measuring(measure),
            name=name or "",
            replace=replace,
            progress=progress,
        )
    _warn(built)
    if as_json:
        emit(SCHEMA, build_fields(built))
    else:
        _print(built)


def _warn(built: Built) -> None:
    """Says what the runtime will refuse; other runtimes may want the models all the same."""
    from skerry.edge.bundled.fitting import part_problems
    from skerry.edge.terminal import visible

    for problem in part_problems(built.bundle):
        click.echo(visible(f"`--bundle` will refuse it: {problem.what}"), err=True)


def build_fields(built: Built) -> dict[str, Any]:
    """What was built, as JSON."""
    from dataclasses import asdict

    manifest = built.bundle.manifest
    return {
        "path": str(built.bundle.folder),
        "name": manifest.name,
        "digest": built.bundle.digest,
        "size": manifest.size,
        "variants": [_variant_fields(built, one) for one in manifest.variants],
        "made": list(built.made),
        "reused": list(built.reused),
        "left_out": [asdict(one) for one in built.left_out],
        "unchanged": built.unchanged,
    }


def _variant_fields(built: Built, one: Variant) -> dict[str, Any]:
    return {
        "name": one.name,
        "size": built.bundle.manifest.size_of(one),
        "profiles": [suits.profile for suits in one.suits],
        "measured": one.evaluation is not None,
        "notes": list(one.notes),
    }


def _order(plan: Plan) -> Order:
    from skerry.edge.cli.export_source import exporters
    from skerry.export.building import Order

    return Order(plan, tuple(exporters(plan.subject.kind)))


def _cache(given: Path | None) -> Any:
    from skerry.edge.folders import cache_folder
    from skerry.export.building import Cache

    return Cache(given or cache_folder() / "export" / "made")


def _measuring(how: str) -> Measuring | None:
    """How variants are measured; None where nothing is to be."""
    if how == "none":
        return None
    from skerry.export.building.measured import measuring

    return measuring(items=_QUICK_ITEMS, repeats=1) if how == "quick" else measuring(items=None)


def _print(built: Built) -> None:
    from skerry.edge.cli.export_plan import refusal_line
    from skerry.edge.terminal import visible

    manifest = built.bundle.manifest
    for one in manifest.variants:
        profiles = ", ".join(suits.profile for suits in one.suits) or "no profile"
        how = "made" if one.name in built.made else "reused"
        size = f"{manifest.size_of(one) / 1e6:,.1f} MB"
        click.echo(visible(f"{one.name}: {how}, {size}, for {profiles}"))
        _notes(one.notes)
    for left in built.left_out:
        click.echo(visible(refusal_line(left)), err=True)
    done = "is there already, unchanged" if built.unchanged else "is there"
    click.echo(visible(f"{built.bundle.folder} {done}: {manifest.size / 1e6:,.1f} MB, "
                       f"digest {built.bundle.digest}"))  # fmt: skip


def _notes(notes: Sequence[str]) -> None:
    from skerry.edge.terminal import visible

    for note in notes:
        click.secho(visible(f"  {note}"), dim=True)
