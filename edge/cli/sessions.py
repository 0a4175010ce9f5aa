"""`skerry sessions`: the conversations that this device keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, option, settings
from skerry.edge.cli.output import emit, local_time, table
from skerry.edge.cli.types import NotNegative

if TYPE_CHECKING:
    from skerry.edge.session import SessionStore


@click.group()
def sessions() -> None:
    """List and delete conversations. They never leave this device."""


@sessions.command("ls")
@settings("state")
@option("--limit", default=50, show_default=True, help="How many, last used first.")
@json_option
def list_(limit: int, as_json: bool, **given: Any) -> None:
    """List the conversations, last used first."""
    with _store(given) as store:
        found = store.list(limit)
    if as_json:
        emit("skerry.sessions.ls/1", {"sessions": found})
        return
    columns = ("id", "last used", "turns", "bytes")
    table(
        "",
        columns,
        (
            (one.id, local_time(one.updated_at), str(one.turns), f"{one.size_bytes:,}")
            for one in found
        ),
    )


@sessions.command()
@click.argument("session_id", metavar="ID")
@settings("state")
@json_option
def show(session_id: str, as_json: bool, **given: Any) -> None:
    """Show what was said in a conversation."""
    with _store(given) as store:
        found = store.get(session_id)
    if as_json:
        emit("skerry.sessions.show/1", {"session": found})
        return
    for turn in found.turns:
        click.secho(f"{turn.role}, {local_time(turn.at)}", bold=True)
        click.echo(f"{turn.text}\n")


@sessions.command()
@click.argument("session_id", metavar="ID")
@settings("state")
@json_option
def rm(session_id: str, as_json: bool, **given: Any) -> None:
    """Delete a conversation and its text for good. Receipts stay."""
    with _store(given) as store:
        store.delete(session_id)
    if as_json:
        emit("skerry.sessions.rm/1", {"id": session_id})
    else:
        click.echo(f"deleted {session_id}")


@sessions.command()
@option(
    "--older-than-days", type=NotNegative(), required=True, help="Last used longer ago than this."
)
@settings("state")
@json_option
def purge(older_than_days: float, as_json: bool, **given: Any) -> None:
    """Delete every conversation that was last used long ago."""
    with _store(given) as store:
        count = store.purge(older_than_days * 86_400)
    if as_json:
        emit("skerry.sessions.purge/1", {"deleted": count})
    else:
        click.echo(f"deleted {count} conversation(s)")


def _store(given: dict[str, Any]) -> SessionStore:
    from skerry.edge.session import SessionStore

    return SessionStore.open(make_settings(given).state)
