"""`skerry cloud`: the tier behind the devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.cloud_engines import engine_options, make_verifier, taken
from skerry.edge.cli.collections import collections
from skerry.edge.cli.gateway import check_alone, config_option, keys, serve_gateway, usage
from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit

if TYPE_CHECKING:
    from socket import socket

    from skerry.cloud.engines.base import Verifier

SCHEMA = "skerry.cloud.serve/1"
_PORT = 8585
_NO_TEXT = "devices whose model has other tokens are refused"


@click.group()
def cloud() -> None:
    """Run the tier behind the devices (docs/split.md)."""


cloud.add_command(collections)
cloud.add_command(keys)
cloud.add_command(usage)


@cloud.command()
@settings("host", "api_key_file", "models_dir", "model", "threads")
@option("--port", type=click.IntRange(0, 65535), default=_PORT, help="Port; 0 takes a free one.")
@option("--sessions", type=click.IntRange(1, 64), default=4, help="Generations at once.")
@option(
    "--context-tokens",
    type=click.IntRange(64, 1 << 20),
    help="Of each generation.  [default: 4096 of llama.cpp, all that a target's server has]",
)
@config_option(required=False)
@engine_options
@json_option
def serve(
    port: int,
    sessions: int,
    context_tokens: int | None,
    config: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve a model that verifies the drafts of devices, until Ctrl-C.

    \b
    skerry cloud serve
    skerry cloud serve --model qwen2.5-7b.gguf --port 0 --json
    skerry cloud serve --config gateway.toml
    skerry cloud serve --engine vllm --url http://127.0.0.1:8000 --tokenizer tokenizer.json

    With --config, serve what that file says, to the tenants that it names (docs/gateway.md).

    Exit codes: 0 stopped, 3 the port is taken or a setting is wrong, 4 the model or the target's
    server cannot be used.
    """
    from skerry.cloud.app import app
    from skerry.cloud.service import Service
    from skerry.cloud.serving import serve as run
    from skerry.edge.server import bind, load_or_make_key

    if config is not None:
        check_alone(click.get_current_context())
    engine = taken(given)
    wanted = make_settings(given)
    if config is not None:
        serve_gateway(config, wanted, port, as_json=as_json)
        return
    key = load_or_make_key(wanted.api_key_file)
    with bind(wanted.host, port) as bound:
        verifier = make_verifier(
            wanted, engine, sessions=sessions, context_tokens=context_tokens or 0
        )
        run(
            app(Service(verifier), key, places=sessions),
            bound,
            ready=lambda: _announce(bound, wanted.api_key_file, verifier, as_json),
        )


def _announce(bound: socket, key_file: Path, verifier: Verifier, as_json: bool) -> None:
    from skerry.cloud.engines.base import words_of
    from skerry.edge.server import url_of

    url, facts = url_of(bound), verifier.facts
    if not facts.drafts:
        click.echo(f"no drafts are read: {facts.why}", err=True)
    if words_of(verifier) is None:
        click.echo(f"{facts.model} cannot be asked in text: {_NO_TEXT}", err=True)
    if as_json:
        emit(SCHEMA, {"url": url, "key_file": str(key_file), "model": facts.model})
        return
    click.echo(f"split  {url}/v1/split")
    click.echo(f"model  {facts.model}")
    click.echo(f"key    {key_file}")
    click.echo("stop with Ctrl-C", err=True)
