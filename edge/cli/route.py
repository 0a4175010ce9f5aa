"""`skerry route`: where a question would be answered, and why. Nothing is generated or sent."""

from __future__ import annotations

from typing import Any

import click

from skerry.edge.cli.options import ASKING, PLACES, json_option, make_runtime, settings

SCHEMA = "skerry.route/1"


@click.command()
@click.argument("question", nargs=-1, required=True)
@settings("bundle", *PLACES, *ASKING)
@json_option
def route(question: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Decide only: where would QUESTION be answered, and why?"""
    from skerry.edge.policy import explain

    with make_runtime(given) as runtime:
        decided = runtime.route(" ".join(question))
    if as_json:
        from skerry.edge.cli.output import emit
        from skerry.edge.fields import route_fields

        emit(SCHEMA, route_fields(decided))
    else:
        from skerry.edge.cli.output import hanging

        click.echo("\n".join(hanging(line, 4) for line in explain(decided)))
