"""`skerry policy`: the rules in force, and whether a file of rules is right."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from skerry.edge.cli.options import json_option, make_settings, settings
from skerry.edge.cli.output import emit


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
def check(file: Path | None, as_json: bool, **given: Any) -> None:
    """Check FILE, or the policy in force; say what is wrong, in which line."""
    from skerry.edge.policy import load_policy

    loaded = load_policy(file or make_settings(given).policy)
    if as_json:
        emit("skerry.policy.check/1", {"version": loaded.version, "digest": loaded.digest})
    else:
        click.echo(f"sound: version {loaded.version}, digest {loaded.digest}")
