"""`skerry policy`: the rules in force, and whether a file of rules is right."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from skerry.edge.cli.options import json_option, make_settings, settings
from skerry.edge.cli.output import emit, table

if TYPE_CHECKING:
    from skerry.edge.policy.origin import Value


@click.group()
def policy() -> None:
    """Show or check the policy (docs/policy.md)."""


@policy.command()
def defaults() -> None:
    """Print the default policy, with its comments: a start for one of your own."""
    click.echo(files("skerry.edge.policy").joinpath("policy.toml").read_text("utf-8"), nl=False)


@policy.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@settings("policy")
@json_option
def show(file: Path | None, as_json: bool, **given: Any) -> None:
    """Show every value of FILE, or of the policy in force, and where it comes from."""
    from skerry.edge.policy import load_policy
    from skerry.edge.policy.origin import values_of

    path = file or make_settings(given).policy
    loaded, values = load_policy(path), values_of(path)
    if as_json:
        head = {"version": loaded.version, "digest": loaded.digest, "file": path}
        emit("skerry.policy.show/1", {**head, "values": values})
        return
    rows = ((one.key, json.dumps(one.value), _origin(one, path)) for one in values)
    table("", ("key", "value", "from"), rows)


def _origin(one: Value, path: Path | None) -> str:
    if one.line is None:
        return "default"
    return f"{path}, line {one.line}{', and default' if one.added else ''}"


@policy.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@settings("policy")
@json_option
def check(file: Path | None, as_json: bool, **given: Any) -> None:
    """Check FILE, or the policy in force; say what is wrong, in which line."""
    from skerry.edge.policy import load_policy

    loaded = load_policy(file or make_settings(given).policy)
    if as_json:
        emit("skerry.policy.check/1", {"version": loaded.version, "digest": loaded.digest})
    else:
        click.echo(f"sound: version {loaded.version}, digest {loaded.digest}")
