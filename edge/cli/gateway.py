"""`skerry cloud keys` and `skerry cloud usage`: who may ask a gateway, and what they used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from skerry.edge.cli.options import json_option, option
from skerry.edge.cli.output import emit, local_time, table

if TYPE_CHECKING:
    from skerry.cloud.gateway.app import Assembled
    from skerry.cloud.gateway.config import Gateway
    from skerry.cloud.gateway.state import State
    from skerry.edge.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])
CONFIG = "SKERRY_CLOUD_CONFIG"
_BESIDE_CONFIG = ("config", "host", "port", "threads", "as_json")
_DAY_S = 86_400
_SPARE_S = 3.0  # for what is stopped to say so


def config_option(*, required: bool) -> Callable[[Command], Command]:
    """`--config`: the gateway's file."""
    return option(
        "--config",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar=CONFIG,
        required=required,
        help="File of the gateway (docs/gateway.md).",
    )


def check_alone(context: click.Context) -> None:
    """Raises UsageError: an option beside `--config` is the file's to say."""
    for option_ in context.command.params:
        source = context.get_parameter_source(option_.name or "")
        if source is ParameterSource.COMMANDLINE and option_.name not in _BESIDE_CONFIG:
            raise click.UsageError(
                f"{option_.opts[0]} is not read with --config: say it in the file"
            )


@click.group()
def keys() -> None:
    """Make, list and revoke the API keys of a gateway's tenants."""


@keys.command()
@click.argument("tenant")
@config_option(required=True)
@option(
    "--role", type=click.Choice(["user", "operator", "admin"]), default="user", help="Its role."
)
@json_option
def add(tenant: str, config: Path, role: str, as_json: bool) -> None:
    """Make a key for a tenant of the file, and print it: this once, only its digest is kept.

    Exit codes: 2 no such tenant, 3 the file is wrong, 5 the state cannot be used.
    """
    from skerry.cloud.gateway.config import Role
    from skerry.cloud.gateway.keys import made

    with _opened(config) as (gateway, state):
        if tenant not in gateway.tenants:
            known = ", ".join(gateway.tenants)
            raise click.UsageError(f"{config} has no tenant '{tenant}'; it has: {known}")
        key, kept = made(tenant, Role(role))
        state.add_key(kept)
    if as_json:
        fields = {"id": kept.id, "tenant": tenant, "role": role, "key": key}
        emit("skerry.cloud.keys.add/1", fields)
        return
    click.echo(key)
    click.echo(f"this is {kept.id}, and is shown this once", err=True)


@keys.command("list")
@config_option(required=True)
@json_option
def list_(config: Path, as_json: bool) -> None:
    """List the keys that were made, also revoked ones. Those of the file itself are in the file."""
    with _opened(config) as (gateway, state):
        found = state.keys()
    if as_json:
        rows = [
            {"id": one.id, "tenant": one.tenant, "role": one.role, "made_at": one.made_at,
             "revoked_at": one.revoked_at, "orphan": one.tenant not in gateway.tenants}
            for one in found
        ]  # fmt: skip
        emit("skerry.cloud.keys.list/1", {"keys": rows})
        return
    states = (
        f"revoked {local_time(one.revoked_at)}" if one.revoked_at
        else "good" if one.tenant in gateway.tenants else "no such tenant any more"
        for one in found
    )  # fmt: skip
    columns = ("id", "tenant", "role", "made", "state")
    rest = ((one.id, one.tenant, one.role, local_time(one.made_at)) for one in found)
    table("", columns, ((*row, state) for row, state in zip(rest, states, strict=True)))


@keys.command()
@click.argument("key_id", metavar="ID")
@config_option(required=True)
@json_option
def revoke(key_id: str, config: Path, as_json: bool) -> None:
    """Revoke a key by its id: running gateways end its requests within seconds.

    Exit codes: 2 no such key, or revoked already, 3 the file is wrong, 5 the state cannot be used.
    """
    with _opened(config) as (_, state):
        if not state.revoke_key(key_id, time.time()):
            raise click.UsageError(
                f"no good key has the id '{key_id}'; see `skerry cloud keys list`"
            )
    if as_json:
        emit("skerry.cloud.keys.revoke/1", {"id": key_id})
    else:
        click.echo(f"revoked {key_id}")


@click.command()
@config_option(required=True)
@option("--days", type=click.IntRange(1, 3660), default=30, show_default=True, help="Until today.")
@option("--tenant", help="Of this tenant alone.")
@json_option
def usage(config: Path, days: int, tenant: str | None, as_json: bool) -> None:
    """Show the tokens that tenants used, by day (UTC), request class and model, and their cost.

    Exit codes: 3 the file is wrong, 5 the state cannot be used.
    """
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - (days - 1) * _DAY_S))
    with _opened(config) as (_, state):
        found = state.usage(since, tenant=tenant)
    if as_json:
        emit("skerry.cloud.usage/1", {"since": since, "usage": found})
        return
    columns = ("day", "tenant", "class", "model", "requests", "in", "out", "cost")
    table(
        "",
        columns,
        (
            (one.day, one.tenant, one.request_class, one.model, f"{one.requests:,}",
             f"{one.prompt_tokens:,}", f"{one.completion_tokens:,}", f"{one.cost:.4f}")
            for one in found
        ),
    )  # fmt: skip


def serve_gateway(config: Path, wanted: Settings, port: int, *, as_json: bool) -> None:
    """Serves the gateway of the file `config` until SIGINT or SIGTERM."""
    from skerry.cloud.gateway.engines import services
    from skerry.cloud.gateway.live import Live
    from skerry.cloud.gateway.load import load
    from skerry.cloud.gateway.state import opened
    from skerry.cloud.gateway.traces import export
    from skerry.cloud.gateway.upstream import check_keys
    from skerry.cloud.serving import serve as run
    from skerry.edge.server import bind, url_of

    gateway = load(config)
    check_keys(gateway)
    export()
    with bind(wanted.host, port) as bound:
        state = opened(gateway.state, config.parent)
        made = services(gateway, config.parent, threads=wanted.threads or 0)
        live = Live(config, gateway, state, made)
        run(
            live,
            bound,
            ready=lambda: _announce(url_of(bound), config, live.current, as_json=as_json),
            stopping=live.close,
            grace_s=gateway.limits.drain_seconds + _SPARE_S,
        )


def _announce(url: str, config: Path, parts: Assembled, *, as_json: bool) -> None:
    gateway, drafting = parts.gate.config, sorted(parts.services)
    if as_json:
        names = {
            "models": list(gateway.models),
            "tenants": list(gateway.tenants),
            "collections": list(gateway.collections),
        }
        fields = {"url": url, "config": str(config), **names, "split": drafting}
        emit("skerry.cloud.gateway/1", fields)
        return
    click.echo(f"gateway  {url}/v1")
    if gateway.models:
        click.echo(f"models   {', '.join(gateway.models)}")
    click.echo(f"tenants  {', '.join(gateway.tenants)}")
    if gateway.collections:
        click.echo(f"collections  {', '.join(gateway.collections)}")
    if drafting:
        click.echo(f"split    {url}/v1/split: {', '.join(drafting)}")
    if not parts.gate.keys.ids and not parts.state.keys():
        click.echo("nobody has a key yet: skerry cloud keys add TENANT", err=True)
    click.echo("stop with Ctrl-C", err=True)


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Gateway, State]]:
    from skerry.cloud.gateway.load import load
    from skerry.cloud.gateway.state import opened

    gateway = load(config)
    state = opened(gateway.state, config.parent)
    try:
        yield gateway, state
    finally:
        state.close()
