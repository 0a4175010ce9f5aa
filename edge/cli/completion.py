"""What the shell may complete beyond names of commands and options. Never fails, never warns."""

from __future__ import annotations

import time
from typing import Any

import click
from click.shell_completion import CompletionItem

_RECENT = 20
ID_SHOWN = 18


def model_names(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001  click passes it
    incomplete: str,
) -> list[str]:
    """Names and aliases of the models of this device."""
    from skerry.edge.engines.models import catalogue
    from skerry.edge.errors import EdgeError

    try:
        found = catalogue(_settings(ctx, "models_dir").models_dir).models()
    except (EdgeError, OSError):
        return []
    names = (name for spec in found for name in (*spec.aliases, spec.name))
    return [name for name in names if name.startswith(incomplete)]


def receipt_ids(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001  click passes it
    incomplete: str,
) -> list[CompletionItem]:
    """`last`, and the ids of recent receipts with their times."""
    from skerry.edge.errors import EdgeError
    from skerry.edge.receipts import ReceiptStore

    items = [CompletionItem("last", help="the newest")]
    try:
        state = _settings(ctx, "state").state
        if state.exists():
            with ReceiptStore.open(state) as store:
                items += [_receipt_item(one.id, one.created_at) for one in store.list(_RECENT)]
    except EdgeError:
        pass  # there is nothing to offer; the command itself will say why
    return [item for item in items if item.value.startswith(incomplete)]


def _receipt_item(identity: str, created_at: float) -> CompletionItem:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created_at))
    return CompletionItem(identity[:ID_SHOWN], help=when)


def _settings(ctx: click.Context, name: str) -> Any:
    from skerry.edge.settings import Settings

    given = ctx.params.get(name)
    return Settings() if given is None else Settings(**{name: given})
