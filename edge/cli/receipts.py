"""`skerry explain`, `replay` and `receipts`: why an answer was given where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.completion import receipt_ids
from skerry.edge.cli.options import json_option, make_settings, option, settings

if TYPE_CHECKING:
    from skerry.edge.receipts import Receipt, ReceiptStore

LIST_SCHEMA = "skerry.receipts/1"
REPLAY_SCHEMA = "skerry.replay/1"


@click.command()
@click.argument("receipt_id", metavar="[ID]", default="last", shell_complete=receipt_ids)
@settings("state")
@json_option
def explain(receipt_id: str, as_json: bool, **given: Any) -> None:
    """Show the receipt whose id is or starts with ID; the last one by default."""
    from skerry.edge.receipts import to_json

    with _store(given) as store:
        receipt = store.get(receipt_id)
    if as_json:
        click.echo(to_json(receipt))
        return
    from skerry.edge.cli.output import console
    from skerry.edge.receipts.render import render

    console().print(render(receipt))


@click.command()
@click.argument("receipt_id", metavar="ID", shell_complete=receipt_ids)
@click.option(
    "--policy",
    envvar="SKERRY_REPLAY_POLICY",
    show_envvar=True,
    required=True,
    type=click.Path(path_type=Path),
    help="The policy to try.",
)
@settings("state")
@json_option
def replay(receipt_id: str, policy: Path, as_json: bool, **given: Any) -> None:
    """Show what another policy would have done. Nothing is asked or sent again."""
    from skerry.edge.cli.output import emit
    from skerry.edge.fields import route_fields
    from skerry.edge.policy import explain as explain_route
    from skerry.edge.policy import load_policy
    from skerry.edge.receipts import replay as decide_again

    with _store(given) as store:
        receipt = store.get(receipt_id)
    done = decide_again(receipt, load_policy(policy))
    if as_json:
        fields = {"before": route_fields(done.before), "after": route_fields(done.after)}
        emit(REPLAY_SCHEMA, {"id": receipt.id, **fields, "changed": list(done.changed)})
        return
    if not done.changed:
        click.echo("The route would be the same.")
        return
    for title, route in (("was", done.before), ("would be", done.after)):
        click.secho(title, bold=True)
        click.echo("\n".join(f"  {line}" for line in explain_route(route)))


@click.group(invoke_without_command=True)
@option("--limit", default=20, show_default=True, help="How many, newest first.")
@settings("state")
@json_option
@click.pass_context
def receipts(ctx: click.Context, /, limit: int, as_json: bool, **given: Any) -> None:
    """List the receipts of recent answers, newest first."""
    if ctx.invoked_subcommand is None:
        _list(limit, given, as_json=as_json)


@receipts.command()
@settings("state")
@json_option
def prune(as_json: bool, **given: Any) -> None:
    """Delete every receipt that is older than they are kept (docs/receipts.md)."""
    from skerry.edge.cli.output import emit

    with _store(given) as store:
        count = store.prune()
    if as_json:
        emit("skerry.receipts.prune/1", {"deleted": count})
    else:
        click.echo(f"deleted {count} receipt(s)")


def _list(limit: int, given: dict[str, Any], *, as_json: bool) -> None:
    from skerry.edge.cli.output import emit, table
    from skerry.edge.receipts import to_json

    with _store(given) as store:
        found = store.list(limit)
    if as_json:
        emit(LIST_SCHEMA, {"receipts": [json.loads(to_json(one)) for one in found]})
        return
    columns = ("id", "when", "class", "tier", "sent", "ms", "about")
    table("", columns, (_row(receipt) for receipt in found))


def _row(receipt: Receipt) -> tuple[str, ...]:
    from skerry.edge.cli.output import local_time
    from skerry.edge.receipts.words import about

    sent = sum(egress.bytes_sent for egress in receipt.egress)
    return (
        receipt.id[:13],
        local_time(receipt.created_at),
        receipt.route.request_class,
        receipt.answered_by or "none",
        f"{sent:,} bytes" if sent else "nothing",
        f"{receipt.total_ms:.0f}",
        about(receipt),
    )


def _store(given: dict[str, Any]) -> ReceiptStore:
    from skerry.edge.receipts import ReceiptStore, Retention

    wanted = make_settings(given)
    return ReceiptStore.open(wanted.state, retention=Retention(store_text=wanted.store_text))
