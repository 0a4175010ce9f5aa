"""A command group whose commands are imported when they are called, never for `--help`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

Rows = Mapping[str, tuple[str, str]]
"""By name: module and attribute below `skerry.edge.cli`, as `module:attribute`, and the help."""


class LazyGroup(click.Group):
    """A group of `rows`."""

    def __init__(self, *args: Any, rows: Rows, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(self.rows)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in self.rows:
            return None
        module, attribute = self.rows[name][0].split(":")
        command: click.Command = getattr(
            importlib.import_module(f"skerry.edge.cli.{module}"), attribute
        )
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; a name that is none fails with the one that was meant."""
        if args[0] not in self.rows and not ctx.resilient_parsing:
            from difflib import get_close_matches

            for near in get_close_matches(args[0], self.rows, 1):
                ctx.fail(f"No such command '{args[0]}'. Did you mean '{near}'?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.rows[name][1]) for name in sorted(self.rows)])
