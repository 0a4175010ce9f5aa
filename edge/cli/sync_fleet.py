"""`skerry sync serve | operators | devices`: the server of a fleet, and who is in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from skerry.edge.cli.options import json_option, option, settings
from skerry.edge.cli.output import emit, local_time, table

if TYPE_CHECKING:
    from skerry.sync.server.operator_client import OperatorClient
    from skerry.sync.server.state import Fleet

Command = TypeVar("Command", bound=Callable[..., Any])
KEY = "SKERRY_FLEET_KEY"
_PORT = 8686
_PAGE = 1_000


def state_option(command: Command) -> Command:
    """`--state`: where the fleet is kept."""
    return option(
        "--state", default="fleet.db", show_default=True, envvar="SKERRY_FLEET_STATE",
        help="File of the fleet, or a postgresql:// URL.",
    )(command)  # fmt: skip


def url_option(command: Command) -> Command:
    """`--url`: the server; the operator's key is in the environment."""
    return option(
        "--url", default=f"http://127.0.0.1:{_PORT}", show_default=True, envvar="SKERRY_FLEET_URL",
        help=f"Base URL of the fleet server; the key is taken from {KEY}.",
    )(command)  # fmt: skip


@contextmanager
def client(url: str) -> Iterator[OperatorClient]:
    """Raises ConfigError: there is no key."""
    import os

    need_fleet()
    from skerry.edge.errors import ConfigError
    from skerry.sync.server.operator_client import OperatorClient

    key = os.environ.get(KEY, "").strip()
    if not key:
        hint = f"set {KEY}; `skerry sync operators add` makes one"
        raise ConfigError("there is no operator's key", hint=hint)
    made = OperatorClient(url, key)
    try:
        yield made
    finally:
        made.close()


def need_fleet() -> None:
    """Raises MissingExtra, with the line that installs it."""
    from importlib.util import find_spec

    from skerry.sync.errors import MissingExtra

    if find_spec("cryptography") is None:
        what = "the fleet server needs cryptography, which is not installed"
        raise MissingExtra(what, hint="pip install 'skerry[fleet]'")


@click.command()
@state_option
@settings("host")
@option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True,
        help="Port; 0 takes a free one.")  # fmt: skip
@option("--poll-s", type=click.FloatRange(1, 604_800), default=900.0, show_default=True,
        help="Seconds between two check-ins of a device.")  # fmt: skip
@option(
    "--repository",
    metavar="FOLDER|URL",
    help="What the repository serves: are there deltas? A folder also serves hawkBit's DDI.",
)
@json_option
def serve(
    state: str, host: str | None, port: int, poll_s: float, repository: str | None, as_json: bool
) -> None:
    """Serve the fleet API to devices and operators, until Ctrl-C (docs/fleet.md).

    \b
    skerry sync serve
    skerry sync serve --state postgresql://skerry@db.example/fleet --repository /srv/updates

    Several may serve one PostgreSQL database behind a load balancer, which also ends TLS.

    Exit codes: 0 stopped, 4 the address cannot be taken, 5 the state cannot be used.
    """
    need_fleet()
    from skerry.edge.cli.options import make_settings
    from skerry.sync.server.app import Server
    from skerry.sync.server.gates import of
    from skerry.sync.server.serving import bound
    from skerry.sync.server.serving import serve as run

    wanted = make_settings({"host": host})
    gates = of(repository)
    with bound(wanted.host, port) as at:
        folder = Path(repository) if repository and Path(repository).is_dir() else None
        server = Server(state, poll_s=poll_s, gates=gates, ddi=folder)
        name, number = at.getsockname()[:2]
        url = f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"
        nobody = not server.fleet.people.keys()
        run(server.app, at, ready=lambda: _announce(url, nobody=nobody, as_json=as_json))


def _announce(url: str, *, nobody: bool, as_json: bool) -> None:
    if as_json:
        emit("skerry.sync.serve/1", {"url": url})
        return
    click.echo(f"fleet  {url}")
    if nobody:
        click.echo("nobody has a key yet: skerry sync operators add PERSON --role admin", err=True)
    click.echo("stop with Ctrl-C", err=True)


@click.group()
def operators() -> None:
    """Make, list and revoke operators' keys, where the fleet's state is."""


@operators.command("add")
@click.argument("person")
@option("--tenant", default="default", show_default=True, help="Whose fleet.")
@option("--role", type=click.Choice(["viewer", "operator", "approver", "admin"]),
        default="viewer", show_default=True, help="What the key may.")  # fmt: skip
@state_option
@json_option
def add_operator(person: str, tenant: str, role: str, state: str, as_json: bool) -> None:
    """Make a key of PERSON, and print it: this once, only its digest is kept.

    Exit codes: 2 no such name can be, 5 the state cannot be used.
    """
    import re

    from skerry.sync.server.roles import Role, made

    for text in (person, tenant):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
            raise click.UsageError(f"'{text}' cannot be a name: letters, digits, '.', '_', '-'")
    with _opened(state) as fleet:
        key, kept = made(tenant, person, Role(role), time.time())
        fleet.people.add_key(kept)
    if as_json:
        fields = {"id": kept.id, "tenant": tenant, "person": person, "role": role, "key": key}
        emit("skerry.sync.operators.add/1", fields)
        return
    click.echo(key)
    click.echo(f"this is {kept.id}, and is shown this once", err=True)


@operators.command("list")
@state_option
@json_option
def list_operators(state: str, as_json: bool) -> None:
    """List the keys of all tenants, also revoked ones."""
    from skerry.sync.server.authority import shown

    with _opened(state) as fleet:
        found = fleet.people.keys()
    if as_json:
        emit("skerry.sync.operators.list/1", {"keys": [shown(key) for key in found]})
        return
    columns = ("id", "tenant", "person", "role", "made", "state")
    table("", columns, (
        (one.id, one.tenant, one.person, one.role, local_time(one.made_at),
         f"revoked {local_time(one.revoked_at)}" if one.revoked_at else "good")
        for one in found
    ))  # fmt: skip


@operators.command("revoke")
@click.argument("key_id", metavar="ID")
@state_option
@json_option
def revoke_operator(key_id: str, state: str, as_json: bool) -> None:
    """Revoke a key by its id. Exit codes: 2 there is none, 5 the state cannot be used."""
    with _opened(state) as fleet:
        if not fleet.people.revoke_key(key_id, time.time()):
            raise click.UsageError(f"no good key has the id '{key_id}'")
    if as_json:
        emit("skerry.sync.operators.revoke/1", {"id": key_id})
    else:
        click.echo(f"revoked {key_id}")


@click.group()
def devices() -> None:
    """See and change the devices of a fleet; make tokens that enrol them."""


@devices.command("list")
@option("--channel", default="", help="Of this channel alone.")
@option("--group", default="", help="Of this group alone.")
@option("--most", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="Most.")
@url_option
@json_option
def list_devices(channel: str, group: str, most: int, url: str, as_json: bool) -> None:
    """List devices, and what each runs."""
    found: list[dict[str, Any]] = []
    with client(url) as fleet:
        after: str | None = ""
        while after is not None and len(found) < most:
            page = fleet.ask("GET", "devices", after=after, limit=min(_PAGE, most - len(found)),
                             channel=channel or None, group=group or None)  # fmt: skip
            found, after = found + page["devices"], page["after"]
    if as_json:
        emit("skerry.sync.devices.list/1", {"devices": found})
        return
    columns = ("name", "profile", "channel", "group", "tags", "version", "seen", "id")
    table("", columns, (
        (one["name"], one["profile"], one["channel"], one["group"], ",".join(one["tags"]),
         one["version"], local_time(one["seen_at"]) if one["seen_at"] else "never", one["id"])
        for one in found
    ))  # fmt: skip


@devices.command("counts")
@url_option
@json_option
def counts(url: str, as_json: bool) -> None:
    """Count the devices of each version."""
    with client(url) as fleet:
        found = fleet.ask("GET", "devices", "counts")["counts"]
    if as_json:
        emit("skerry.sync.devices.counts/1", {"counts": found})
        return
    rows = ((one["channel"], one["version"], f"{one['devices']:,}") for one in found)
    table("", ("channel", "version", "devices"), rows)


@devices.command("token")
@option("--channel", default="stable", show_default=True, help="Channel of the device.")
@option("--group", default="", help="Group of the device.")
@option("--tag", "tags", multiple=True, help="Tag of the device; several.")
@option("--count", type=click.IntRange(1, 10_000), default=1, show_default=True, help="How many.")
@option("--days", type=click.FloatRange(0, 365, min_open=True), default=7.0, show_default=True,
        help="Days until it expires.")  # fmt: skip
@url_option
@json_option
def token(
    channel: str, group: str, tags: tuple[str, ...], count: int, days: float, url: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Make tokens, each of which enrols one device, once; they are shown this once."""
    body = {"channel": channel, "group": group, "tags": list(tags), "count": count, "days": days}
    with client(url) as fleet:
        found = fleet.ask("POST", "tokens", body=body)["tokens"]
    if as_json:
        emit("skerry.sync.devices.token/1", {"tokens": found})
        return
    for one in found:
        click.echo(one["token"])


@devices.command("set")
@click.argument("device", metavar="NAME|ID")
@option("--name", help="New name.")
@option("--channel", help="New channel.")
@option("--group", help="New group; empty takes it out of its group.")
@option("--tag", "tags", multiple=True, help="All of its tags from now on.")
@option("--no-tags", is_flag=True, help="No tags from now on.")
@url_option
@json_option
def set_device(
    device: str, name: str | None, channel: str | None, group: str | None, tags: tuple[str, ...],
    no_tags: bool, url: str, as_json: bool,
) -> None:  # fmt: skip
    """Change a device's name, channel, group or tags."""
    if tags and no_tags:
        raise click.UsageError("--tag and --no-tags contradict each other")
    given = {"name": name, "channel": channel, "group": group,
             "tags": list(tags) if tags or no_tags else None}  # fmt: skip
    body = {key: value for key, value in given.items() if value is not None}
    with client(url) as fleet:
        found = fleet.ask("PATCH", "devices", device, body=body)
    if as_json:
        emit("skerry.sync.devices.set/1", {"device": found})
    else:
        click.echo(f"{found['name']}: {found['channel']} {found['group']} {found['tags']}")


@devices.command("revoke")
@click.argument("device", metavar="NAME|ID")
@url_option
@json_option
def revoke_device(device: str, url: str, as_json: bool) -> None:
    """Revoke a device: the server does not know its key any more."""
    with client(url) as fleet:
        found = fleet.ask("DELETE", "devices", device)
    if as_json:
        emit("skerry.sync.devices.revoke/1", found)
    else:
        click.echo(f"revoked {found['id']}")


@contextmanager
def _opened(state: str) -> Iterator[Fleet]:
    need_fleet()
    from skerry.sync.server.state import opened

    fleet = opened(state)
    try:
        yield fleet
    finally:
        fleet.close()
