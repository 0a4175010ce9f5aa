"""`python -m skerry.export.gguf make | compare | imatrix | search`: this room alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from skerry.export.errors import ExportError
from skerry.export.gguf import imatrix, search, texts
from skerry.export.gguf.exporter import FILE, GgufExporter
from skerry.export.gguf.plan import load_plan, save_plan
from skerry.export.gguf.several import NINE, make_all

_PATH = click.Path(path_type=Path)
_THREADS = click.option("--threads", default=0, help="How many run; 0: one for each core.")
_TEXT = click.option("--text", type=_PATH, default=texts.CALIBRATION, help="A calibration text.")


@click.group(help="GGUF files from safetensors or GGUF.")
def main() -> None:
    pass


@main.command(help="Make one precision of SOURCE in the folder OUT.")
@click.argument("source", type=_PATH)
@click.argument("out", type=_PATH)
@click.option("--precision", default="q4_k_m")
@click.option("--imatrix", "matrix", type=_PATH, help="An importance matrix.")
@click.option("--calibration", type=_PATH, help="A text on which to measure one.")
@click.option("--plan", type=_PATH, help="A plan of types for single tensors.")
def make(
    *,
    source: Path,
    out: Path,
    precision: str,
    matrix: Path | None,
    calibration: Path | None,
    plan: Path | None,
) -> None:
    with _plainly():
        types = load_plan(plan) if plan else None
        exporter = GgufExporter(imatrix=matrix, calibration=calibration, plan=types)
        wanted = types.precision if types else precision
        made = exporter.export(source, wanted, out, progress=_tell)
    bits = made.facts["bits_per_weight"]
    click.echo(f"{out / FILE}: {made.facts['size_bytes'] / 1e6:.1f} MB, {bits} bits per weight")
    for note in made.notes:
        click.echo(f"note: {note}")


@main.command(help="Make nine precisions of SOURCE in the folder OUT, and measure what each lost.")
@click.argument("source", type=_PATH)
@click.argument("out", type=_PATH)
@click.option("--precisions", default=",".join(NINE), help="Names with commas between.")
@_THREADS
def compare(source: Path, out: Path, precisions: str, threads: int) -> None:
    with _plainly():
        out.mkdir(exist_ok=True)
        rows = make_all(source, out, precisions.split(","), threads=threads, progress=_tell)
    click.echo("precision      MB   bits   KL (nats)   top-1   perplexity")
    for row in rows:
        facts, lost = row.made.facts, row.fidelity
        megabytes, bits = facts["size_bytes"] / 1e6, facts["bits_per_weight"]
        click.echo(
            f"{row.made.precision:9} {megabytes:7.1f} {bits:6.2f}"
            f" {lost.kl_mean_nats:11.5f} {lost.top1_agreement:7.1%} {lost.perplexity:12.2f}"
        )


@main.command("imatrix", help="Measure the importance matrix of the GGUF file MODEL into OUT.")
@click.argument("model", type=_PATH)
@click.argument("out", type=_PATH)
@_TEXT
@_THREADS
def measure(model: Path, out: Path, text: Path, threads: int) -> None:
    with _plainly():
        words = imatrix.read_text(text)
        found = imatrix.measure(model, words, name=text.name, threads=threads, progress=_tell)
        imatrix.save(found, out)


@main.command("search", help="Find a plan for the float GGUF file MODEL and write it to OUT.")
@click.argument("model", type=_PATH)
@click.argument("out", type=_PATH)
@click.option("--kl", type=float, help="The most that it may lose, in nats.")
@click.option("--mb", type=float, help="The most megabytes that the file may have.")
@_TEXT
@_THREADS
def find(
    *, model: Path, out: Path, kl: float | None, mb: float | None, text: Path, threads: int
) -> None:
    if (kl is None) == (mb is None):
        raise click.UsageError("give either --kl or --mb")
    if out.exists():
        raise click.UsageError(f"'{out}' exists already")
    with _plainly(), tempfile.TemporaryDirectory(dir=out.parent) as folder:
        found = _found(model, Path(folder), imatrix.read_text(text), kl=kl, mb=mb, threads=threads)
        save_plan(found.plan, out)
    lost = found.fidelity.kl_mean_nats
    click.echo(f"{out}: {found.size_bytes / 1e6:.1f} MB, KL {lost:.5f} nats on the text")


def _found(
    model: Path, work: Path, text: str, *, kl: float | None, mb: float | None, threads: int
) -> search.Found:
    matrix = work / "imatrix.gguf"
    imatrix.save(imatrix.measure(model, text, threads=threads, progress=_tell), matrix)
    learnt = search.learn(model, matrix, text, work, threads=threads, progress=_tell)
    return learnt.under_size(int((mb or 0) * 1e6)) if kl is None else learnt.under_kl(kl)


@contextmanager
def _plainly() -> Iterator[None]:
    """Errors as a line with a hint, not a traceback."""
    try:
        yield
    except ExportError as error:
        raise click.ClickException(f"{error.what}\n  {error.hint}".rstrip()) from None
    finally:
        if sys.stderr.isatty():
            click.echo(err=True)


def _tell(what: str, done: float) -> None:
    """One line that changes, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what} {done:.0%}", nl=False, err=True)


if __name__ == "__main__":
    main(prog_name="python -m skerry.export.gguf")
