"""`skerry index search --collection`: what a cloud collection has on a query."""

from __future__ import annotations

from typing import Any

import click

from skerry.edge.cli.asking import approver
from skerry.edge.cli.index_shown import show_hits
from skerry.edge.cli.options import make_runtime
from skerry.edge.cli.output import emit
from skerry.edge.errors import ApprovalRequired, CloudUnavailable


def search_collection(
    name: str, text: str, *, yes: bool, as_json: bool, given: dict[str, Any]
) -> None:
    """Raises CloudUnavailable: it did not answer; ApprovalRequired: no vector may leave."""
    from skerry.edge.collections.direct import look_in
    from skerry.edge.request import Request

    with make_runtime(given) as runtime:
        found = look_in(name, Request(text, approve=approver(yes=yes)), runtime.parts)
    asked, receipt = found.asked, found.receipt.id
    hint = f"`skerry explain {receipt[:18]}` has the whole receipt"
    if asked.outcome == "failed":
        raise CloudUnavailable(asked.why, hint=hint)
    if asked.outcome == "not_sent":
        raise ApprovalRequired(f"no vector was sent: {asked.why}", hint=hint)
    if as_json:
        fields = {"hits": found.hits, "below_floor": None, "receipt": receipt}
        emit("skerry.index.search/1", fields)
        return
    show_hits(found.hits, None)
    sent = found.receipt.egress[-1]
    click.echo(
        f"a vector left, {sent.bytes_sent:,} bytes to {sent.destination} "
        f"(skerry explain {receipt[:18]})",
        err=True,
    )
