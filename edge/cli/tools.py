"""`skerry tools`: which tools there are, and who may run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, settings
from skerry.edge.cli.output import emit, table

if TYPE_CHECKING:
    from skerry.edge.tools.registry import Registered

SCHEMA = "skerry.tools/1"


@click.command()
@settings("role", "appointments", "tool_rules")
@json_option
def tools(as_json: bool, **given: Any) -> None:
    """List the tools, and which of them the role may run (docs/tools.md)."""
    from skerry.edge.runtime import Runtime

    wanted = make_settings(given)
    with Runtime(wanted) as runtime:
        found = runtime.parts.tools.all()
    if as_json:
        emit(SCHEMA, {"role": wanted.role, "tools": [_fields(one, wanted.role) for one in found]})
        return
    rows = (
        (
            one.tool.name,
            "yes" if wanted.role in one.roles else "no",
            "confirmed by a person" if one.tool.impact == "high" else "only reads",
            ", ".join(sorted(one.roles)) or "nobody",
            one.tool.description,
        )
        for one in found
    )
    table("", ("tool", f"for {wanted.role}", "impact", "roles", "what it does"), rows)


def _fields(one: Registered, role: str) -> dict[str, Any]:
    tool = one.tool
    return {
        "name": tool.name,
        "description": tool.description,
        "impact": tool.impact,
        "allowed": role in one.roles,
        "roles": sorted(one.roles),
        "parameters": tool.schema,
    }
