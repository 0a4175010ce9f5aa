"""`python -m skerry.export.adapters OUT`: examples of a task, to try `skerry export finetune`."""

from __future__ import annotations

from pathlib import Path

import click

from skerry.export.adapters.task import write_task
from skerry.export.errors import ExportError


@click.command(help="Write examples of a small task: notes from triage, and their codes.")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--examples", type=click.IntRange(2), default=400, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
def main(out: Path, examples: int, seed: int) -> None:
    try:
        write_task(out, examples=examples, seed=seed)
    except ExportError as error:
        raise click.ClickException(f"{error.what}\n  {error.hint}") from None
    click.echo(f"{out}: {examples} chats")


if __name__ == "__main__":
    main(prog_name="python -m skerry.export.adapters")
