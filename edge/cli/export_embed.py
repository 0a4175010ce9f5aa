"""`skerry export embed`: one encoder in one format, without a bundle around it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.device_profiles import Format
    from skerry.export.exporter import Made

SCHEMA = "skerry.export.embed/1"


@click.command(options_metavar="--out FOLDER [OPTIONS]")
@click.argument("encoder", type=GivenPath())
@option("--out", type=GivenPath(), required=True, help="Folder that is made.")
@option("--format", "made", metavar="FORMAT", default="onnx", show_default=True, help="Its format.")
@option("--precision", metavar="NAME", help="Precision; default: the format's first, such as int8.")
@settings("models_dir")
@json_option
def embed(
    encoder: Path, out: Path, made: str, precision: str | None, as_json: bool, **given: Any
) -> None:
    """Export the encoder in the Hugging Face folder ENCODER, as FOLDER.

    `skerry export build --encoder ENCODER` puts it into a bundle, in each format of its devices.
    """
    from skerry.edge.cli.bars import tools_bar
    from skerry.edge.cli.export_source import find_subject
    from skerry.export.errors import SourceRefused
    from skerry.export.exporter import Kind
    from skerry.export.formats import registry

    subject = find_subject(str(encoder), make_settings(given))
    if subject.kind is not Kind.ENCODER:
        what = f"'{encoder}' is a language model ({subject.architecture}), no encoder"
        raise SourceRefused(what, hint="see `skerry export build`")
    exporter = registry.find(_format(made), Kind.ENCODER)
    with tools_bar(quiet=as_json) as progress:
        done = exporter.export(
            subject.path, precision or exporter.precisions()[0], out, progress=progress
        )
    _tell(done, as_json=as_json)


def _tell(done: Made, *, as_json: bool) -> None:
    from skerry.edge.terminal import visible

    size = sum((done.folder / file).stat().st_size for file in done.files)
    if as_json:
        named = {"path": done.folder, "format": done.format, "precision": done.precision}
        rest = {"files": list(done.files), "notes": list(done.notes), "facts": done.facts}
        emit(SCHEMA, {**named, "size": size, **rest})
        return
    click.echo(visible(f"{done.folder}: {done.format} {done.precision}, {size / 1e6:,.1f} MB"))
    for note in done.notes:
        click.secho(visible(f"  {note}"), dim=True)


def _format(name: str) -> Format:
    from skerry.device_profiles import Format

    try:
        return Format(name.lower())
    except ValueError:
        names = ", ".join(Format)
        raise click.BadParameter(f"'{name}' is none of: {names}", param_hint="--format") from None
