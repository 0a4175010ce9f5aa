"""`python -m skerry.export.genai (--source PATH | --tiny) --out DIR [--precision int4]`"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

import click

from skerry.export.errors import ExportError
from skerry.export.genai.build import Exported, Precision, export_genai
from skerry.export.genai.tiny import Training, train_tiny

_PATH = click.Path(path_type=Path)


@click.command(help="Make a model folder for the ONNX Runtime GenAI engine.")
@click.option("--source", type=_PATH, help="A GGUF file, or a Hugging Face folder.")
@click.option("--tiny", is_flag=True, help="Train the tests' tiny model instead.")
@click.option("--out", required=True, type=_PATH, help="The folder to make.")
@click.option("--precision", type=click.Choice(get_args(Precision)), default="int4")
@click.option("--lora", is_flag=True, help="Let the model take LoRA adapters at run time.")
def main(source: Path | None, tiny: bool, out: Path, precision: Precision, lora: bool) -> None:
    if tiny == (source is not None):
        raise click.UsageError("give either --source or --tiny")
    try:
        if source is None:
            made = _export_tiny(out)
        else:
            made = export_genai(source, out, precision, lora=lora)
    except ExportError as error:
        raise click.ClickException(f"{error.what}\n  {error.hint}") from None
    cost = made.fidelity
    click.echo(
        f"{made.folder}: {made.size_bytes / 1e6:.1f} MB; KL {cost.kl_mean_nats} nats, top-1 "
        f"{cost.top1_agreement:.1%}, perplexity {cost.perplexity} (source {cost.source_perplexity})"
    )


def _export_tiny(out: Path) -> Exported:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "tiny"
        train_tiny(folder, training=Training(), progress=_say)
        return export_genai(folder, out, "int4", lora=True)


def _say(step: int, loss: float) -> None:
    click.echo(f"step {step}: {loss:.3f} nats per token", err=True)


if __name__ == "__main__":
    main(prog_name="python -m skerry.export.genai")
