"""`skerry serve`: the OpenAI API and the chat page, on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.ending import leave_in
from skerry.edge.cli.options import (
    ASKING,
    GENERATING,
    PLACES,
    json_option,
    make_runtime,
    option,
    settings,
)
from skerry.edge.cli.types import NotNegative

if TYPE_CHECKING:
    from socket import socket

    from skerry.edge.runtime import Runtime
    from skerry.edge.server import ServerOptions
    from skerry.edge.settings import Settings

SCHEMA = "skerry.serve/1"
_CLOSING_S = 5.0  # for a model to close, once answers have ended


@click.command()
@settings("host", "port", "api_key_file", "parallel", "models_dir", *GENERATING, *PLACES, *ASKING)
@option("--no-api-key", is_flag=True, help="Let everybody on this machine in (loopback only).")
@option("--allow-origin", multiple=True, metavar="URL", help="Web pages that may call too.")
@option("--open-metrics", is_flag=True, help="/metrics without a key (loopback only).")
@option("--max-body-mb", type=click.IntRange(1, 1024), default=16, help="Largest request.")
@option("--waiting", type=click.IntRange(0, 10_000), default=64, help="Answers that may wait.")
@option("--drain-s", type=NotNegative(), default=5.0, help="Time for answers to end at the stop.")
@option("--lazy", is_flag=True, help="Load the model at the first request, not at the start.")
@json_option
def serve(
    no_api_key: bool,
    allow_origin: tuple[str, ...],
    open_metrics: bool,
    max_body_mb: int,
    waiting: int,
    drain_s: float,
    lazy: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve the OpenAI API and the chat page on this machine, until Ctrl-C.

    \b
    skerry serve --offline
    skerry serve --port 0 --json    # prints one line with the URL and the file of the key

    Exit codes: 0 stopped, 3 the port is taken or a setting is wrong, 4 the model cannot be used,
    5 the index or the state file cannot be used.
    """
    from skerry.edge.server import ServerOptions, bind, create_app
    from skerry.edge.server import serve as run

    with make_runtime(given) as runtime:
        wanted = runtime.parts.settings
        options = ServerOptions(
            host=wanted.host,
            api_key=_key(wanted, no_api_key=no_api_key),
            allow_origins=allow_origin,
            open_metrics=open_metrics,
            body_bytes=max_body_mb << 20,
            waiting=waiting,
            drain_seconds=drain_s,
        )
        with bind(wanted.host, wanted.port) as bound:
            _ = runtime.parts.receipts, runtime.parts.sessions
            if not lazy:
                _warm(runtime)
            app = create_app(runtime, options)
            run(
                app,
                bound,
                ready=lambda: _announce(bound, wanted, options, as_json=as_json),
                stopping=lambda number, seconds: leave_in(seconds + _CLOSING_S, number),
            )


def _key(wanted: Settings, *, no_api_key: bool) -> str | None:
    """The key, or None where there shall be none.

    Raises:
        ConfigError: no key is wanted on an address that others reach, or its file is unusable.
    """
    from skerry.edge.errors import ConfigError
    from skerry.edge.server import load_or_make_key
    from skerry.edge.server.options import is_loopback

    if not no_api_key:
        return load_or_make_key(wanted.api_key_file)
    if not is_loopback(wanted.host):
        raise ConfigError(
            f"--no-api-key on {wanted.host} would let everybody on the network in",
            hint="leave out --no-api-key, or bind 127.0.0.1",
        )
    return None


def _warm(runtime: Runtime) -> None:
    """Loads what every request needs, so that what is wrong shows now and the first is not slow."""
    with runtime.parts.engine():
        runtime.parts.load()


def _announce(bound: socket, wanted: Settings, options: ServerOptions, *, as_json: bool) -> None:
    from skerry.edge.cli.output import emit
    from skerry.edge.server import url_of

    url = url_of(bound)
    key_file = str(wanted.api_key_file) if options.api_key else None
    if as_json:
        emit(SCHEMA, {"url": url, "key_file": key_file})
        return
    fragment = f"/#key={options.api_key}" if options.api_key else "/"
    click.echo(f"page   {url}{fragment}")
    click.echo(f"API    {url}/v1")
    click.echo(f"key    {key_file or 'none: everybody on this machine may ask'}")
    click.echo("stop with Ctrl-C", err=True)
