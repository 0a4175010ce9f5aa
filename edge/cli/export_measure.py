"""`skerry export measure`: measures one variant against its source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit
from skerry.edge.cli.types import GivenPath

if TYPE_CHECKING:
    from skerry.export.exporter import Exporter, Made

SCHEMA = "skerry.export.measure/1"
_PARTS = ("fidelity", "encoding", "cost", "tasks")


@click.command(options_metavar="--source MODEL --out FOLDER [OPTIONS]")
@click.argument("variant", type=GivenPath())
@option("--source", type=GivenPath(), required=True,
        help="GGUF file or Hugging Face folder that it was made from.")  # fmt: skip
@option("--out", type=GivenPath(), required=True, help="Folder of the measurements.")
@option("--part", "parts", multiple=True, type=click.Choice(_PARTS), help="Only this; several.")
@option("--items", type=click.IntRange(1), help="Items of each task at most; default: all.")
@option("--routing", is_flag=True, help="Score the router that comes with Skerry as well.")
@option("--timeout", type=click.FloatRange(1), default=1800, show_default=True,
        help="Seconds for each part.")  # fmt: skip
@json_option
def measure(
    variant: Path,
    source: Path,
    out: Path,
    parts: tuple[str, ...],
    items: int | None,
    routing: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Measure VARIANT, a GGUF file or the folder of an export, and write the result into FOLDER.

    Each part runs in a process of its own; one that fails is named, and the others are there.

    \b
    skerry export measure model-q4_0.gguf --source model-f16.gguf --out measured/
    """
    from skerry.edge.cli.bars import tools_bar
    from skerry.export.measure import Options, measure_variant
    from skerry.export.measure.saved import write_measured

    made, exporter = _opened(variant)
    options = Options(parts=parts or None, items=items, timeout_s=timeout)
    with tools_bar(quiet=as_json) as progress:
        document = measure_variant(made, source, exporter, options=options, progress=progress)
    if routing:
        document["tasks"]["routing"] = _routing(items)
    path = write_measured(document, out)
    if as_json:
        emit(SCHEMA, {"path": str(path), "name": document["name"],
                      "failures": list(document["failures"])})  # fmt: skip
        return
    for failure in document["failures"]:
        click.echo(f"no {failure['part']}: {failure['what']}", err=True)
    click.echo(f"{document['name']} is measured: {path}")


def _opened(variant: Path) -> tuple[Made, Exporter]:
    """What is there, and its exporter.

    Raises:
        OutputFailed: it is neither a GGUF file nor the folder of an export.
    """
    from skerry.device_profiles import Format
    from skerry.export.exporter import Kind, Made
    from skerry.export.formats import registry
    from skerry.export.formats.folder import described
    from skerry.export.measure.llama import gguf_of

    if variant.is_file() or (variant.is_dir() and any(variant.glob("*.gguf"))):
        from skerry.edge.engines.llama.files import read_header

        path = gguf_of(variant)
        precision = read_header(path).quantization.lower()
        made = Made(path.parent, Format.GGUF, precision, (Path(path.name),))
        return made, registry.find(Format.GGUF, Kind.LLM)
    made, kind = described(variant)
    return made, registry.find(made.format, kind)


def _routing(items: int | None) -> dict[str, Any]:
    from dataclasses import asdict

    from skerry.export.measure.tasks import run_routing

    return asdict(run_routing(_Shipped(), most=items))


class _Shipped:
    """The router and the encoder that come with Skerry."""

    def __init__(self) -> None:
        from skerry.edge.encoder.minilm import OnnxEncoder
        from skerry.edge.router.router import Router

        self._encoder, self._router = OnnxEncoder.load(), Router.load()

    def route_class(self, text: str) -> str:
        return str(self._router.classify(self._encoder.encode([text])[0], text).request_class)
