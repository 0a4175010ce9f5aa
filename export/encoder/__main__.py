"""`python -m skerry.export.encoder --out DIR [--texts FILE]...`"""

from __future__ import annotations

from pathlib import Path

import click

from skerry.export.encoder.build import build, write
from skerry.export.encoder.gate import GateRefused

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help="Build the int8 text encoder, gate it against float32, and write it.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--texts", multiple=True, type=_FILE, help="More texts for the gate, one a line; repeatable."
)
def main(out: Path, texts: tuple[Path, ...]) -> None:
    sets = {path.stem: path.read_text(encoding="utf-8").splitlines() for path in texts}
    try:
        built = build(sets)
    except GateRefused as error:
        raise click.ClickException(f"{error}; nothing was written to '{out}'") from None
    write(built, out)
    for name, result in built.results.items():
        click.echo(
            f"{name}: {result.texts} texts, mean cosine {result.mean_cosine:.4f}, "
            f"same nearest neighbour {result.neighbour_agreement:.1%}"
        )


if __name__ == "__main__":
    main(prog_name="python -m skerry.export.encoder")
